"""What `make bench-changes` does to a lab, and what it counts."""

import time

import pytest

from benchmarks import changes
from lab.console.errors import LabError
from lab.nodes.mark import LabMark
from measurements import events
from measurements.history import RecordedEvent

RATE = 50.0


def recorded(body, t_ns):
    return RecordedEvent(line=1, t_ns=t_ns, wall="", case="", body=body)


def history(numbers, *, began_ns, first_ns):
    """Return a stream's history: its configuration, and a frame every 20 ms but those absent."""
    yield recorded(events.StreamConfigured(idcode=20, rate=RATE, pmus=()), began_ns)
    for number in numbers:
        body = events.FrameArrived(
            soc=1000 + number // 50, fraction=(number % 50) / RATE, idcode=20, stats=()
        )
        yield recorded(body, first_ns + number * 20_000_000)


def test_frames_that_never_came_are_counted_from_the_change_on():
    now = time.monotonic_ns()
    absent = {10, 100, 101, 102}  # the first before the change
    numbers = [number for number in range(200) if number not in absent]
    first_ns = now - 200 * 20_000_000
    lost, silent_s = changes._frames(
        list(history(numbers, began_ns=now, first_ns=first_ns)), first_ns + 50 * 20_000_000
    )
    assert (lost, round(silent_s, 3)) == (3, 0.08)


def test_frames_that_were_absent_when_the_change_began_are_counted():
    now = time.monotonic_ns()
    numbers = [number for number in range(200) if not 40 <= number < 60]
    first_ns = now - 200 * 20_000_000
    lost, _ = changes._frames(
        list(history(numbers, began_ns=now, first_ns=first_ns)), first_ns + 50 * 20_000_000
    )
    assert lost == 20


def test_a_stream_that_never_returns_has_no_count():
    then = time.monotonic_ns() - int(changes.SETTLE_S * 1e9)
    with pytest.raises(LabError, match="No frame comes any more"):
        changes._frames(list(history(range(5), began_ns=then, first_ns=then)), then)


@pytest.mark.parametrize(
    ("distribution", "setting"), [("k3s", "lab_k3s_version"), ("kubeadm", "lab_kubernetes_version")]
)
def test_all_is_undone_but_the_upgrade_and_other_settings_stay(distribution, setting):
    mark = LabMark(
        lab_name="l",
        distribution=distribution,
        profile="floor",
        timers={},
        versions={},
        images={},
        settings={"lab_name": "l", "lab_profile": "floor", "lab_storage": "local-path"},
    )
    done = list(changes.changes(mark, "v1.34.9"))
    ups = [words for change in done for words in change.verbs if words[0] == "up"]
    assert [word for word in ups[0] if "=" in word] == [
        "lab_profile=fast",
        "lab_storage=local-path",
    ]
    assert "lab_profile=floor" in ups[1]
    assert ups[-1][-1] == f"{setting}=v1.34.9"
    assert "lab_storage=local-path" in ups[-1]
