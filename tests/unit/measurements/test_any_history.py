"""Whatever a history says, in whatever order: it is measured, and has a report."""

import dataclasses
import json
from pathlib import Path

import pytest
from histories import Story, window
from hypothesis import given, settings
from hypothesis import strategies as st

from measurements import events, intervals, results
from measurements.report import render

names = st.sampled_from(["worker-1", "server-1", "server-2"])
apps = st.sampled_from(["mysql", "pdc-higher"])
uids = st.sampled_from(["a", "b", "c"])
faults = [events.FaultStart, events.FaultInForce, events.FaultStop, events.FaultHealed]
bodies = st.one_of(
    st.builds(
        events.CaseStart,
        title=st.text(max_size=5),
        app=apps,
        recovery=st.sampled_from(["restart", "replacement"]),
        published=st.sampled_from([None, "node_isolated", "container_restart", "another"]),
        windows=st.just({"ready": window(1, 2, "x")}),
    ),
    st.builds(events.CaseEnd, outcome=st.sampled_from(["passed", "failed", "aborted"])),
    st.builds(events.Note, text=st.text(max_size=5)),
    st.sampled_from(faults).flatmap(
        lambda kind: st.builds(
            kind, fault=apps, target=names, lasts=st.booleans(), breaks_node=st.none() | names
        )
    ),
    st.builds(
        events.NodeSeen,
        name=names,
        ready=st.sampled_from(["True", "False", "Unknown"]),
        reason=apps,
        via=names,
    ),
    st.builds(events.PodSeen, name=uids, uid=uids, app=apps, node=st.just("") | names, via=names),
    st.builds(events.PodGone, name=uids, uid=uids, via=names),
    st.builds(
        events.StreamConfigured,
        idcode=st.just(20),
        rate=st.sampled_from([50.0, 0.2]),
        pmus=st.just(()),
    ),
    st.builds(
        events.FrameArrived,
        soc=st.integers(1_800_000_000, 1_800_000_003) | st.just(0),
        fraction=st.sampled_from([0.0, 0.02, 0.98]),
        idcode=st.just(20),
        stats=st.sampled_from([(), (0,), (0x8000, 0), (0, 0, 0)]),
    ),
    st.builds(events.RowAcknowledged, id=st.integers(1, 9)),
    st.builds(events.SqlFailed, why=apps),
    st.builds(
        events.SqlChecked,
        acknowledged=st.integers(0, 9),
        present=st.integers(0, 9),
        missing=st.sampled_from([(), (1, 2)]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 90), bodies), max_size=40))
def test_it_is_measured_and_has_a_report(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[float, events.Body]]
) -> None:
    directory = tmp_path_factory.mktemp("any")
    story = Story(directory / "history.jsonl")
    for second, body in told:
        story.at(second, body)
    story.recorder.close()
    measured = intervals.measure_file(story.path)
    for case in measured:
        assert case.intervals.keys() == results.STAGES.keys()
        assert all(i.reason or i.seconds is not None for i in case.intervals.values())
        json.dumps(dataclasses.asdict(case), allow_nan=False)
    assert "</html>" in Path(render(directory)).read_text(encoding="utf-8")
