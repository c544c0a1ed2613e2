"""The cluster's endpoints for a client outside of it: the API and the workloads' NodePorts."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StreamEndpoint:
    """An IEEE C37.118 output stream of a PDC, at the same port of every node."""

    name: str
    """Value of the label app.kubernetes.io/name."""
    port: int
    """NodePort."""
    idcode: int
    """IDCODE of the stream."""


LOWER = StreamEndpoint(name="pdc-lower", port=30501, idcode=10)
"""First level: aligns the three PMUs."""
HIGHER = StreamEndpoint(name="pdc-higher", port=30502, idcode=20)
"""Second level: fed by the first."""
STREAM_ENDPOINTS = (LOWER, HIGHER)

API_PORT = 6443
"""The API of every server, at its own address."""
MYSQL_PORT = 30306
"""NodePort of the database that holds the PDCs' configuration."""
FRAME_RATE = 50
"""Frames per second of every stream."""
