"""Cutting a byte stream into frames."""

from grid.c37118.frames import envelope


class Reassembler:
    """Cuts whole frames with a valid CRC out of the bytes of a TCP connection.

    Bytes that belong to no frame are skipped and counted, up to the next plausible SYNC. A
    frame with a wrong size is not waited for: it is given up as soon as received bytes end
    with a whole valid frame.
    """

    def __init__(self, limit: int = envelope.MAX_SIZE) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self.skipped_bytes = 0
        """Bytes that belonged to no valid frame."""
        self.bad_crcs = 0
        """Frames with a plausible head and a wrong CRC."""

    @property
    def waiting(self) -> bool:
        """Whether the buffer holds the beginning of a frame."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was received and return the frames that it completed."""
        buffer = self._buffer
        buffer += data
        frames: list[bytes] = []
        at = 0
        while len(buffer) - at >= 4:
            size = self._size(at)
            if size == 0:
                at = self._skip(at, self._next_sync(at + 1))
            elif len(buffer) - at < size:
                # In the new bytes only, so that no sender can make the search expensive.
                last = self._last_frame(max(at + 1, len(buffer) - len(data)))
                if not last:
                    break
                at = self._skip(at, last)
            elif not envelope.crc(memoryview(buffer)[at : at + size]):
                # Over a frame with its own CRC behind it, the CRC is 0.
                frames.append(bytes(buffer[at : at + size]))
                at += size
            else:
                self.bad_crcs += 1
                # A frame follows where this one ends: only this one is damaged.
                intact = len(buffer) - at == size or self._size(at + size) != 0
                at = self._skip(at, at + size if intact else self._next_sync(at + 1))
        del buffer[:at]
        return frames

    def end(self) -> None:
        """Skip the rest, because the datagram or the stream ended."""
        self.skipped_bytes += len(self._buffer)
        self._buffer.clear()

    def _size(self, at: int) -> int:
        """Return the size of the frame that seems to begin at `at`, 0 if none does."""
        buffer = self._buffer
        if len(buffer) - at < 4 or not envelope.sync_plausible(buffer[at], buffer[at + 1]):
            return 0
        size = buffer[at + 2] << 8 | buffer[at + 3]
        return size if envelope.OVERHEAD <= size <= self._limit else 0

    def _last_frame(self, start: int) -> int:
        """Return the start of a valid frame at the end of the buffer, 0 if there is none."""
        end = len(self._buffer)
        while (start := self._next_sync(start)) < end:
            if self._size(start) == end - start and not envelope.crc(
                memoryview(self._buffer)[start:]
            ):
                return start
            start += 1
        return 0

    def _next_sync(self, start: int) -> int:
        found = self._buffer.find(envelope.SYNC_BYTE, start)
        return len(self._buffer) if found < 0 else found

    def _skip(self, start: int, end: int) -> int:
        self.skipped_bytes += end - start
        return end
