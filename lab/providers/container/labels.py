"""Labels of the Docker objects of a lab: all that is known of a lab stands in them."""

from typing import Any

LAB = "blackstart.lab"
"""Name of the lab: on containers, volumes and networks."""
ROLE = "blackstart.role"
"""Role of the node: on its container."""
HOST = "blackstart.host"
"""Host name of the node: on its container and its volumes."""
DISTRIBUTION = "blackstart.distribution"
"""What the cluster is made of: on containers."""


def of_lab(lab: str) -> dict[str, Any]:
    """Return the engine's filter for the objects of a lab."""
    return {"label": f"{LAB}={lab}"}
