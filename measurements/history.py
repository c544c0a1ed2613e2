"""The history of a run: `history.jsonl`, one JSON object a line, only ever appended to.

A line is `{"t_ns": ..., "wall": ..., "case": ..., "source": ..., "event": ..., fields}`:
`t_ns` is the control machine's monotonic clock in nanoseconds, the only clock that
intervals are computed from; `wall` is its UTC time in ISO 8601 with milliseconds, for
people and for joining with other machines' logs. `events` documents the fields.
"""

import json
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from measurements import events, format1


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedEvent:
    """One line of a history."""

    line: int
    """Its number in the file, from 1: how a result names where it comes from."""
    t_ns: int
    """Monotonic time in nanoseconds; comparable within one run only."""
    wall: str
    """UTC time, ISO 8601 with milliseconds."""
    case: str
    """The case that ran when it was recorded; empty between cases."""
    body: events.Body
    """What happened."""


class Recorder:
    """Appends events to a file; safe to use from any number of threads.

    Each event is one write() to a file opened for appending, so that an event which
    `record` returned from is in the file even if this process is then killed (not if
    the machine loses power: nothing is fsynced while measuring).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.case = ""
        """The case that events belong to from now on."""
        self._lock = threading.Lock()
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._end_cut_line()

    def record(self, body: events.Body, *, t_ns: int | None = None) -> None:
        """Append `body`; `t_ns` (monotonic) if it happened earlier than now.

        Recording to a closed history does nothing: a probe that is late must not
        break the test it serves.
        """
        now_ns, wall_ns = time.monotonic_ns(), time.time_ns()
        if t_ns is not None:
            wall_ns -= now_ns - t_ns
        head = {
            "t_ns": now_ns if t_ns is None else t_ns,
            "wall": _wall(wall_ns),
            "case": self.case,
            "source": body.source,
            "event": body.event,
        }
        line = json.dumps(head | events.to_fields(body), separators=(",", ":"))
        data = line.encode() + b"\n"
        with self._lock:
            while data and self._file is not None:
                data = data[os.write(self._file, data) :]

    def close(self) -> None:
        """Close the file; more calls do nothing."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _end_cut_line(self) -> None:
        """End the line that a killed writer left, so that the next event gets its own."""
        with self.path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n" and self._file is not None:
                os.write(self._file, b"\n")


class Reader:
    """Reads a history, also one that is still being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[RecordedEvent] = []
        """Everything read so far, in the order of the file."""
        self.unreadable: list[int] = []
        """Numbers of the lines that are no event: cut off, or of a newer version."""
        self._offset = 0
        self._line = 0
        self._cut = False

    def read(self) -> list[RecordedEvent]:
        """Read on to the end of the file and return all events so far.

        A last line without its newline is left for the next call: its writer may be
        in the middle of it, or dead.
        """
        with self.path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        complete = data[: data.rfind(b"\n") + 1]
        self._cut = len(complete) < len(data)
        self._offset += len(complete)
        for line in complete.splitlines():
            self._line += 1
            event = _parse(self._line, line)
            if event is not None:
                self.events.append(event)
            elif line.strip():
                self.unreadable.append(self._line)
        return self.events

    @property
    def cut(self) -> bool:
        """The file's last line had no end when it was last read."""
        return self._cut


def read(path: Path) -> list[RecordedEvent]:
    """Return the events of the history at `path`; lines that are no event are left out."""
    return Reader(path).read()


def _parse(number: int, line: bytes) -> RecordedEvent | None:
    try:
        values = format1.upgraded(json.loads(line))
        body = events.from_fields(values["source"], values["event"], values)
        if body is None:
            return None
        return RecordedEvent(
            line=number,
            t_ns=int(values["t_ns"]),
            wall=values["wall"],
            case=values["case"],
            body=body,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _wall(wall_ns: int) -> str:
    moment = datetime.fromtimestamp(wall_ns // 1_000_000 / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
