"""The kit: makes a lab of Kubernetes nodes, breaks it on purpose and says what happened."""

__version__ = "0.2.0"
