"""Frames from TCP segments and UDP datagrams: each flow in order, with its own reassembler."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from grid.c37118 import Reassembler
from grid.capture.packets import Endpoint, Segment

_MOST_WAITING = 1 << 20
"""Bytes behind a hole in a TCP stream after which the hole counts as lost."""
_HALF = 1 << 31


class Flow(NamedTuple):
    """One direction of a conversation."""

    source: Endpoint
    destination: Endpoint
    udp: bool

    def __str__(self) -> str:
        return f"{self.source} > {self.destination} {'UDP' if self.udp else 'TCP'}"


@dataclass(kw_only=True, slots=True)
class Damage:
    """What is wrong in one flow."""

    bad_crcs: int = 0
    """Frames with a wrong CRC."""
    skipped_bytes: int = 0
    """Bytes that belong to no valid frame, those of bad CRCs included."""
    lost_bytes: int = 0
    """Bytes of a TCP stream that the capture lacks."""


class Conversations:
    """Sorts segments into flows, and cuts frames out of them."""

    def __init__(self) -> None:
        self._streams: dict[Flow, _TcpFlow] = {}
        self._damage: dict[Flow, Damage] = {}
        self._spoken: set[Flow] = set()

    def frames(self, segment: Segment) -> Iterator[tuple[Flow, bytes]]:
        """Take a segment, and yield the frames that it completes."""
        flow = Flow(segment.source, segment.destination, segment.sequence is None)
        damage = self._damage.setdefault(flow, Damage())
        if segment.sequence is None:
            found = _datagram(segment.payload, damage)
        else:
            stream = self._streams.get(flow)
            if stream is None or segment.starts:
                if stream is not None:
                    stream.end(damage)
                stream = self._streams[flow] = _TcpFlow(segment.sequence)
            found = stream.take(segment.sequence, segment.payload, damage)
        for frame in found:
            if flow not in self._spoken:
                self._spoken.add(flow)
                # The capture may have begun inside a frame, or inside another protocol.
                damage.skipped_bytes = damage.bad_crcs = 0
            yield flow, frame

    def end(self) -> dict[Flow, Damage]:
        """Return what is wrong with the flows in which there is C37.118."""
        for flow, stream in self._streams.items():
            stream.end(self._damage[flow])
        return {flow: damage for flow, damage in self._damage.items() if flow in self._spoken}


class _TcpFlow:
    """One direction of a TCP connection."""

    def __init__(self, sequence: int) -> None:
        self._next = sequence
        self._waiting: dict[int, bytes] = {}
        self._reader = Reassembler()

    def take(self, sequence: int, payload: bytes, damage: Damage) -> Iterator[bytes]:
        """Take a segment, and yield the frames that it completes."""
        if payload:
            known = self._waiting.get(sequence, b"")
            self._waiting[sequence] = max(known, payload, key=len)
        yield from self._in_order(damage)
        while sum(map(len, self._waiting.values())) > _MOST_WAITING:
            self._jump(damage)
            yield from self._in_order(damage)

    def end(self, damage: Damage) -> None:
        """Count the bytes that made no frame."""
        while self._waiting:
            self._jump(damage)
            # Frames behind a hole at the very end are not returned.
            for _ in self._in_order(damage):
                pass

    def _in_order(self, damage: Damage) -> Iterator[bytes]:
        moved = True
        while moved and self._waiting:
            moved = False
            for sequence in sorted(self._waiting, key=self._distance):
                ahead = self._distance(sequence)
                if ahead > 0:
                    break
                payload = self._waiting.pop(sequence)[-ahead or None :]
                self._next = (self._next + len(payload)) & 0xFFFFFFFF
                moved = True
                yield from self._feed(payload, damage)

    def _jump(self, damage: Damage) -> None:
        """Count a hole as lost, and continue behind it."""
        sequence = min(self._waiting, key=self._distance)
        damage.lost_bytes += self._distance(sequence)
        damage.skipped_bytes += self._rest()
        self._next = sequence

    def _rest(self) -> int:
        before = self._reader.skipped_bytes
        self._reader.end()
        return self._reader.skipped_bytes - before

    def _feed(self, payload: bytes, damage: Damage) -> list[bytes]:
        reader = self._reader
        before = reader.skipped_bytes, reader.bad_crcs
        frames = reader.feed(payload)
        damage.skipped_bytes += reader.skipped_bytes - before[0]
        damage.bad_crcs += reader.bad_crcs - before[1]
        return frames

    def _distance(self, sequence: int) -> int:
        """Return the distance of a sequence number from the next byte, below 0 for known bytes."""
        return (sequence - self._next + _HALF) % (2 * _HALF) - _HALF


def _datagram(payload: bytes, damage: Damage) -> Iterator[bytes]:
    reader = Reassembler()
    frames = reader.feed(payload)
    reader.end()
    damage.skipped_bytes += reader.skipped_bytes
    damage.bad_crcs += reader.bad_crcs
    return iter(frames)
