"""The kit: makes a lab of Kubernetes nodes, breaks it on purpose and says what happened."""
