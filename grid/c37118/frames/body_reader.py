"""Reading a configuration frame's body from front to back."""

import struct
from collections.abc import Iterator
from typing import Any

from grid.c37118.errors import FrameError


class BodyReader:
    """A position in a frame's body; each read moves it, and FrameError is raised at the end."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def require(self, size: int, what: str) -> None:
        """Raise FrameError unless `size` more bytes are there."""
        left = len(self._body) - self._at
        if left < size:
            raise FrameError(f"the frame ends inside {what}: {size} bytes needed, {left} left")

    def take(self, size: int, what: str) -> bytes:
        """Return the next `size` bytes."""
        self.require(size, what)
        taken = self._body[self._at : self._at + size]
        self._at += size
        return taken

    def word(self, what: str) -> int:
        """Return the next 16 bits."""
        return int.from_bytes(self.take(2, what), "big")

    def long(self, what: str) -> int:
        """Return the next 32 bits."""
        return int.from_bytes(self.take(4, what), "big")

    def name(self, what: str) -> str:
        """Return the next 16 bytes as a name, without the spaces that pad it."""
        return self.take(16, what).decode("latin-1").rstrip(" ")

    def counted_name(self, what: str) -> str:
        """Return a name preceded by its length in bytes; bytes that are no UTF-8 are kept."""
        return self.take(self.take(1, what)[0], what).decode("utf-8", "surrogateescape")

    def unpack(self, each: struct.Struct, count: int, what: str) -> Iterator[tuple[Any, ...]]:
        """Return the next `count` structures."""
        return each.iter_unpack(self.take(each.size * count, what))

    def unit(self) -> tuple[int, int]:
        """Return the kind and the 24-bit factor of a conversion word."""
        word = self.long("a conversion factor")
        return word >> 24, word & 0xFFFFFF

    def end(self) -> None:
        """Raise FrameError unless all bytes were read."""
        left = len(self._body) - self._at
        if left:
            raise FrameError(f"{left} bytes follow the end of the configuration")
