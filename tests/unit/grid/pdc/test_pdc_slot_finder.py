"""Which reporting time of the output a frame belongs to."""

import pytest
import stream_fixtures as streams

from grid.c37118 import Configuration, Stamp, TimeQuality
from grid.pdc.alignment.slot_finder import SlotFinder
from grid.timing.slots import Slots

MS = 1_000_000
SECOND = 1_700_000_000


def slot_finder(
    rate: int, output: int, *, closest: bool = True, base: int = 1_000_000
) -> SlotFinder:
    configuration = Configuration(
        idcode=1, stamp=streams.NOW, time_base=base, stations=(), data_rate=rate
    )
    return SlotFinder(configuration, Slots(output), output, closest=closest)


def places(slot_finder: SlotFinder, output: int, *times_ms: int) -> list[tuple[int, int, int]]:
    """Return slot, distance in ms, and last slot that is over, for each time in a second."""
    start = SECOND * output
    found = []
    for ms in times_ms:
        slot_match = slot_finder.at(SECOND * 1000 * MS + ms * MS, 0)
        slot = slot_match.slot - start if slot_match.slot >= 0 else -1
        found.append((slot, slot_match.off_ns // MS, slot_match.done - start))
    return found


def test_inputs_of_the_outputs_rate_have_a_slot_for_each_frame():
    assert places(slot_finder(50, 50), 50, 0, 20, 44, 50) == [
        (0, 0, 0),
        (1, 0, 1),
        (2, 4, 2),
        (-1, -10, 3),
    ]


@pytest.mark.parametrize(
    ("closest", "expected"),
    [
        # The frame of the reporting time is the closest, so its row is over with it.
        (True, [(0, 0, 0), (0, 20, 0), (0, 40, 0), (1, -40, 0), (1, -20, 0), (1, 0, 1)]),
        (False, [(0, 0, -1), (0, 20, -1), (0, 40, 0), (1, -40, 0), (1, -20, 0), (1, 0, 0)]),
    ],
)
def test_of_a_faster_input_several_frames_belong_to_a_slot(closest, expected):
    assert places(slot_finder(50, 10, closest=closest), 10, 0, 20, 40, 60, 80, 100) == expected


def test_a_slower_input_is_not_waited_for_at_the_slots_between():
    assert places(slot_finder(25, 50), 50, 0, 40) == [(0, 0, 1), (2, 0, 3)]


def test_frames_each_few_seconds_leave_most_slots_alone():
    assert places(slot_finder(-2, 50), 50, 0) == [(0, 0, 99)]


@pytest.mark.parametrize("base", [1_000_000, 0xFFFFFF, 600])
def test_a_place_is_found_by_the_eight_bytes_of_the_stamp(base):
    one = slot_finder(50, 50, base=base)
    ns = SECOND * 1000 * MS + 20 * MS
    stamp = Stamp.from_ns(ns, base, TimeQuality(code=9))
    soc, fracsec = stamp.words()
    words = soc.to_bytes(4, "big") + fracsec.to_bytes(4, "big")
    slot_match = one.find(words)
    assert (slot_match.slot, slot_match.quality) == (SECOND * 50 + 1, 9)
    assert abs(slot_match.ns - ns) <= 1e9 / base
    assert one.find(words) is slot_match
