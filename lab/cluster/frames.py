"""The frames that each PDC sends to a consumer outside the cluster."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from grid.c37118 import DataError
from grid.transport import client
from lab.cluster.endpoints import FRAME_RATE, STREAM_ENDPOINTS, StreamEndpoint
from lab.nodes.node import Node

MEASURE_S = 2.0
"""How long frames are counted."""


@dataclass(frozen=True, kw_only=True)
class FrameRate:
    """What a consumer receives from one PDC."""

    name: str
    """The PDC."""
    frames_per_s: float
    """Data frames with data of every PMU, over MEASURE_S."""
    address: str
    """The node and port that it was measured at."""
    problem: str
    """Why there are none; empty where frames flow."""


def frame_rates(nodes: Sequence[Node]) -> tuple[FrameRate, ...]:
    """Count the frames of every PDC at once, for MEASURE_S seconds."""
    with ThreadPoolExecutor(len(STREAM_ENDPOINTS)) as pool:
        return tuple(pool.map(lambda endpoint: _frame_rate(endpoint, nodes), STREAM_ENDPOINTS))


def not_flowing(rates: Sequence[FrameRate]) -> str | None:
    """Say which PDC sends too little, or None where all frames flow."""
    for rate in rates:
        # A frame more or less falls into a window of this length.
        if rate.frames_per_s * MEASURE_S < FRAME_RATE * MEASURE_S - 2:
            why = rate.problem or f"{rate.frames_per_s:.1f} of {FRAME_RATE} frames/s with all data"
            return f"{rate.name}: {why}"
    return None


def _frame_rate(endpoint: StreamEndpoint, nodes: Sequence[Node]) -> FrameRate:
    """Count at the first node whose port answers with frames."""
    tried = FrameRate(name=endpoint.name, frames_per_s=0.0, address="", problem="no node runs")
    for node in nodes:
        tried = _count(endpoint, node)
        if tried.frames_per_s:
            break
    return tried


def _count(endpoint: StreamEndpoint, node: Node) -> FrameRate:
    """Count over MEASURE_S, which begins with the first frame."""
    stop = threading.Event()
    whole = 0
    first_ns = 0
    problem = ""
    for event in client.receive(node.address, endpoint.port, idcode=endpoint.idcode, stop=stop):
        if isinstance(event, client.Disconnected):
            problem = event.why
        elif isinstance(event, client.Frame):
            first_ns = first_ns or event.t_ns
            if event.t_ns - first_ns >= MEASURE_S * 1e9:
                stop.set()
            elif all(pmu.stat.data_error is DataError.GOOD for pmu in event.data.pmus):
                whole += 1
    return FrameRate(
        name=endpoint.name,
        frames_per_s=round(whole / MEASURE_S, 1),
        address=f"{node.address}:{endpoint.port}",
        problem="" if whole else problem,
    )
