"""Damage to a frame, one kind a function; each changes the frame in place."""

import random

_INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)


def _flip(choice: random.Random, frame: bytearray) -> None:
    if frame:
        frame[choice.randrange(len(frame))] ^= 1 << choice.randrange(8)


def _word(choice: random.Random, frame: bytearray) -> None:
    """Write a number that often means trouble, where a count or a size may stand."""
    at = choice.choice((2, 14, 18, 20, 38, 40, 42, 44, choice.randrange(len(frame) + 1)))
    frame[at : at + 2] = choice.choice(_INTERESTING).to_bytes(2, "big")


def _cut(choice: random.Random, frame: bytearray) -> None:
    del frame[choice.randrange(len(frame) + 1) :]


def _remove(choice: random.Random, frame: bytearray) -> None:
    at = choice.randrange(len(frame) + 1)
    del frame[at : at + choice.randrange(1, 20)]


def _insert(choice: random.Random, frame: bytearray) -> None:
    at = choice.randrange(len(frame) + 1)
    frame[at:at] = choice.randbytes(choice.randrange(1, 20))


def _repeat(choice: random.Random, frame: bytearray) -> None:
    start = choice.randrange(len(frame) + 1)
    frame += frame[start : start + choice.randrange(1, 200)]


def _retype(choice: random.Random, frame: bytearray) -> None:
    if len(frame) > 1:
        frame[1] = choice.randrange(0x70)


MUTATIONS = (_flip, _flip, _word, _word, _cut, _remove, _insert, _repeat, _retype)
"""All kinds; a kind that stands twice is chosen twice as often."""
