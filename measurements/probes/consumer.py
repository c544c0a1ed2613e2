"""A consumer of a synchrophasor stream, outside the cluster: what an operator would see."""

import collections
import time
from collections.abc import Callable, Sequence

from grid.transport import client
from measurements import events, history
from measurements.probes.addresses import Address, Rotation
from measurements.probes.probe import Probe

SILENCE_S = 1.0
"""A stream without a frame for this long is dead."""
CONNECT_TIMEOUT_S = 0.25
"""An address that does not answer for this long hangs.

So does now and then a healthy node whose service has no pod: its kernel sends one
refusal (ICMP unreachable) a second to each peer, and drops the rest.
"""
PAUSE_S = 0.05
"""Time between two attempts.

The stream's return is seen at most CONNECT_TIMEOUT_S + PAUSE_S late.
"""


class Consumer(Probe):
    """Reads one stream through whichever of `addresses` gives it, and records each frame.

    `idcode` is the stream's. A dead stream is noticed after SILENCE_S, then the next
    address is tried, PAUSE_S after the last attempt ended.
    """

    def __init__(
        self, recorder: history.Recorder, addresses: Sequence[Address], *, idcode: int
    ) -> None:
        super().__init__(recorder, name="consumer")
        self._rotation = Rotation(addresses)
        self._idcode = idcode
        self._recent: collections.deque[int] = collections.deque(maxlen=500)
        self._last_failure = "no connection was tried yet"
        self.frames = 0
        """Data frames that came so far."""

    @property
    def rate(self) -> float:
        """Frames per second over the last second."""
        since = time.monotonic_ns() - 1_000_000_000
        return float(sum(t_ns > since for t_ns in list(self._recent)))

    def wait_for_frames(self, count: int = 50, *, limit_s: float = 60.0) -> None:
        """Wait for `count` more frames; TimeoutError with the last failure."""
        wanted = self.frames + count
        self._wait_until(
            lambda: self.frames >= wanted,
            limit_s=limit_s,
            what=f"{count} frames of stream {self._idcode}",
            evidence=lambda: f"{self.frames - wanted + count} came; last: {self._last_failure}",
        )

    def _jobs(self) -> Sequence[Callable[[], None]]:
        return (self._consume,)

    def _consume(self) -> None:
        while not self._stopped.is_set():
            began_s, frames = time.monotonic(), self.frames
            host, port = self._rotation.next()
            for event in client.receive(
                host,
                port,
                idcode=self._idcode,
                connect_timeout_s=CONNECT_TIMEOUT_S,
                silence_s=SILENCE_S,
                stop=self._stopped,
            ):
                self._note(event)
            hung = time.monotonic() - began_s >= CONNECT_TIMEOUT_S
            if hung and self.frames == frames:
                self._rotation.hung()
            else:
                self._rotation.answered()
            self._stopped.wait(PAUSE_S)

    def _note(self, event: client.StreamEvent) -> None:
        """Record what the client saw, at the time it saw it."""
        match event:
            case client.Frame(t_ns=t_ns, data=data, fraction=fraction):
                stats = tuple(pmu.stat.to_word() for pmu in data.pmus)
                self._record(
                    events.FrameArrived(
                        soc=data.stamp.soc,
                        fraction=round(fraction, 9),
                        idcode=data.idcode,
                        stats=stats,
                    ),
                    t_ns=t_ns,
                )
                self.frames += 1
                self._recent.append(t_ns)
            case client.Connected(t_ns=t_ns, address=address):
                self._record(events.ConsumerConnected(address=address), t_ns=t_ns)
            case client.Configured(t_ns=t_ns, configuration=configuration):
                self._record(
                    events.StreamConfigured(
                        idcode=configuration.idcode,
                        rate=float(configuration.frames_per_second),
                        pmus=tuple(station.name for station in configuration.stations),
                    ),
                    t_ns=t_ns,
                )
            case client.Disconnected(t_ns=t_ns, address=address, why=why, was_connected=connected):
                kind = events.ConsumerDisconnected if connected else events.ConsumerRefused
                self._last_failure = f"{address}: {why}"
                self._record(kind(address=address, why=why), t_ns=t_ns)
