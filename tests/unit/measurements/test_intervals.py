"""What intervals follow from hand-made histories, the nasty ones included."""

import pytest
from histories import SERVERS, Story, fault, thesis_worker_isolated, window

from measurements import cases, events, history, intervals


def seconds(story: Story, number: int = 0) -> dict[str, float | None]:
    return {
        stage: None if i.seconds is None else round(i.seconds, 2)
        for stage, i in story.measure(number).intervals.items()
    }


def calm(story: Story, app: str = "pdc-higher") -> None:
    """Everything is well before the fault."""
    for name in ("worker-1", *SERVERS):
        story.node(-9, name)
    story.pod(-9, "old", app=app)
    story.configured(-9)


def test_the_course_of_an_isolated_worker(story: Story) -> None:
    thesis_worker_isolated(story)
    assert seconds(story) == {
        "not_ready": 37.2,
        "evicted": 57.4,
        "scheduled": 57.6,
        "started": 59.1,
        "ready": 62.2,
        "streaming": 62.6,
        "complete": 62.6,
        "writing": None,
    }
    measured = story.measure()
    assert [measured.within(stage) for stage in measured.windows] == [None] * 6
    assert measured.false_not_ready == ()
    assert (measured.stopped_s, measured.healed_s) == (80.0, 80.5)


def test_every_interval_can_be_traced_to_its_lines(story: Story) -> None:
    thesis_worker_isolated(story)
    by_line = {event.line: event for event in history.read(story.path)}
    (case,) = story.cases()
    measured = story.measure()
    for stage, interval in measured.intervals.items():
        if interval.seconds is not None:
            last = by_line[interval.lines[-1]]
            assert case.seconds(last) == interval.seconds, stage
    node = by_line[measured.intervals["not_ready"].lines[0]].body
    assert isinstance(node, events.NodeSeen)
    assert node.ready == "Unknown"


def test_a_fault_that_never_came_into_force_yields_nothing(story: Story) -> None:
    story.begin()
    calm(story)
    story.at(-0.1, events.FaultStart(**fault("isolate", "worker-1")))
    story.node(3, ready="Unknown")
    measured = story.measure()
    assert {i.seconds for i in measured.intervals.values()} == {None}
    assert "never came into force" in measured.intervals["ready"].reason
    assert measured.outcome == "aborted"


def test_the_first_watcher_to_notice_counts(story: Story) -> None:
    story.begin()
    calm(story)
    story.fault()
    late, early = "server-1", "server-3"
    for second, via in ((41.0, late), (38.5, early)):
        story.at(second, events.NodeSeen(name="worker-1", ready="Unknown", reason="x", via=via))
    interval = story.measure().intervals["not_ready"]
    assert interval.seconds == pytest.approx(38.5)
    assert "server-3" in interval.reason


def test_a_node_that_was_down_before_the_fault_is_no_detection(story: Story) -> None:
    story.begin()
    calm(story)
    story.node(-5, ready="Unknown")
    story.fault()
    story.node(10, ready="Unknown")
    interval = story.measure().intervals["not_ready"]
    assert interval.seconds is None
    assert "not Ready before the fault" in interval.reason


def test_what_healing_brings_about_is_not_the_faults_doing(story: Story) -> None:
    story.begin()
    calm(story)
    story.frames(-9, 0)
    story.fault(stop=20)
    story.node(25, ready="Unknown")
    story.pod(26, "old", deleting=True)
    story.replacement(27)
    story.frames(28, 40)
    story.end(40)
    measured = story.measure()
    assert measured.intervals["not_ready"].seconds is None
    assert measured.intervals["evicted"].seconds is None
    assert measured.intervals["scheduled"].seconds is None
    # The gap began under the fault, whatever ended it.
    assert measured.intervals["streaming"].seconds == pytest.approx(28.004)


def test_other_nodes_that_leave_ready_are_false_alarms(story: Story) -> None:
    story.begin()
    calm(story)
    story.node(-8, "server-3", "Unknown")
    story.node(-7, "server-3", "True")
    story.fault()
    story.node(12, "server-2", "Unknown")
    story.node(14, "server-2", "True")
    story.node(37, ready="Unknown")
    flaps = story.measure().false_not_ready
    assert [(flap.node, flap.seconds) for flap in flaps] == [("server-2", pytest.approx(12))]


def test_a_replacement_that_is_older_than_the_fault_replaces_nothing(story: Story) -> None:
    story.begin()
    calm(story)
    story.pod(-3, "sibling", node="server-1")
    story.fault()
    story.pod(5, "sibling", node="server-1")
    story.pod(57, "old", deleting=True)
    measured = story.measure()
    assert measured.intervals["evicted"].seconds == pytest.approx(57)
    assert measured.intervals["ready"].seconds is None
    assert "no new pod" in measured.intervals["ready"].reason


def test_effects_between_start_and_in_force_belong_to_the_fault(story: Story) -> None:
    story.begin(app="mysql")
    calm(story, app="mysql")
    story.fault(start=-0.5, name="delete")
    story.pod(-0.3, "old", app="mysql", deleting=True)
    assert seconds(story)["evicted"] == -0.3


def test_the_replacement_that_became_ready_first_is_followed(story: Story) -> None:
    story.begin()
    calm(story)
    story.fault()
    story.pod(50, "old", deleting=True)
    story.replacement(51, uid="crashing", ready=99)
    story.replacement(60, uid="good", scheduled=61, running=62, ready=63)
    assert seconds(story) | {"scheduled": 61.0, "started": 62.0, "ready": 63.0} == seconds(story)
    assert "good" in story.measure().intervals["ready"].reason


def test_a_replacement_that_never_starts_has_the_stages_it_reached(story: Story) -> None:
    story.begin()
    calm(story)
    story.fault()
    story.gone(50, "old")
    story.pod(51, "new", phase="Pending", ready=False, scheduled=False, running=False)
    story.pod(52, "new", node="server-1", phase="Pending", ready=False, running=False)
    measured = story.measure()
    assert measured.intervals["evicted"].seconds == pytest.approx(50)
    assert measured.intervals["scheduled"].seconds == pytest.approx(52)
    assert measured.intervals["started"].seconds is None
    assert "never got there" in measured.intervals["started"].reason


def test_a_late_watcher_that_repeats_old_states_changes_nothing(story: Story) -> None:
    story.begin()
    calm(story)
    story.fault()
    story.pod(57, "old", deleting=True, lag=0)
    story.replacement(58, scheduled=58.5, running=59, ready=60)
    before = seconds(story)
    # A server that was behind tells its version of the same pods.
    story.pod(61, "old", lag=0)
    story.pod(62, "new", phase="Pending", ready=False, scheduled=False, running=False)
    assert seconds(story) == before


def test_a_container_that_starts_again_in_its_pod(story: Story) -> None:
    story.begin(recovery="restart")
    calm(story)
    story.pod(-5, "old", restarts=3)
    story.fault(name="kill")
    story.pod(0.8, "old", restarts=3, ready=False, running=False)
    story.pod(1.4, "old", restarts=4, ready=False)
    story.pod(3.2, "old", restarts=4)
    measured = story.measure()
    assert measured.intervals["started"].seconds == pytest.approx(1.4)
    assert measured.intervals["ready"].seconds == pytest.approx(3.2)
    for stage in ("not_ready", "evicted", "scheduled"):
        assert measured.intervals[stage].seconds is None
        assert not measured.intervals[stage].applicable


def test_a_pod_in_crash_loop_back_off_is_not_started(story: Story) -> None:
    story.begin(recovery="restart")
    calm(story)
    story.fault(name="kill")
    story.pod(0.8, "old", restarts=1, ready=False, running=False)
    story.pod(11, "old", restarts=1, ready=False)
    assert seconds(story)["started"] == 11.0


def test_a_pod_that_is_removed_instead_of_restarted_is_said(story: Story) -> None:
    story.begin(recovery="restart")
    calm(story)
    story.fault(name="kill")
    story.gone(2, "old")
    story.replacement(3)
    measured = story.measure()
    assert measured.intervals["started"].seconds is None
    assert "removed instead" in measured.intervals["started"].reason


def test_a_deleted_stateful_pod_keeps_its_name_and_gets_another_uid(story: Story) -> None:
    story.begin(app="mysql")
    calm(story)
    story.pod(-9, "a", app="mysql", name="mysql-0")
    story.fault(name="delete")
    story.pod(0.1, "a", app="mysql", name="mysql-0", deleting=True)
    story.gone(2, "a", "mysql-0")
    story.pod(2.2, "b", app="mysql", name="mysql-0", ready=False)
    story.pod(9.5, "b", app="mysql", name="mysql-0")
    assert seconds(story) | {"evicted": 0.1, "started": 2.2, "ready": 9.5} == seconds(story)


def test_events_before_the_case_tell_who_was_there(story: Story) -> None:
    """Watchers record changes only: a calm lab says nothing when a case begins."""
    calm(story)
    story.begin(-2)
    story.fault()
    story.node(37, ready="Unknown")
    story.pod(57, "old", deleting=True)
    assert seconds(story)["not_ready"] == 37.0
    assert seconds(story)["evicted"] == 57.0


def test_without_a_watcher_before_the_fault_nothing_is_guessed(story: Story) -> None:
    story.begin()
    story.fault()
    story.node(37, ready="Unknown")
    story.pod(38, "old")
    measured = story.measure()
    assert "no watcher" in measured.intervals["not_ready"].reason
    assert "was seen on worker-1 before the fault" in measured.intervals["ready"].reason


def test_rows_acknowledged_again_and_rows_lost(story: Story) -> None:
    story.begin(app="mysql")
    calm(story, app="mysql")
    story.fault(name="delete")
    story.rows(-5, 0.3)
    for second in range(1, 8):
        story.at(second, events.SqlFailed(why="172.18.0.2:30306: Connection refused"))
    story.rows(8, 12, first_id=100)
    story.at(13, events.SqlChecked(acknowledged=93, present=91, missing=(51, 52)))
    measured = story.measure()
    assert measured.intervals["writing"].seconds == pytest.approx(8)
    assert measured.sql is not None
    assert (measured.sql.acknowledged, measured.sql.errors) == (93, 7)
    assert measured.sql.longest_gap_s == pytest.approx(7.8)
    assert measured.sql.missing == (51, 52)


def test_within_names_value_and_window(story: Story) -> None:
    windows = {
        "not_ready": window(29, 36, "grace 40 s"),
        "ready": window(49, 104, "after that"),
        "streaming": window(0, 5, "the PDC goes on"),
    }
    story.begin(windows=windows)
    calm(story)
    story.frames(-9, 41)
    story.fault()
    story.node(37, ready="Unknown")
    measured = story.measure()
    assert measured.within("not_ready") == (
        "worker-isolated: not_ready after 37.00 s; expected 29.0 to 36.0 s (grace 40 s)"
    )
    missing = measured.within("ready")
    assert missing is not None
    assert "expected 49.0 to 104.0 s" in missing
    # Never interrupted is as good as at once, where the window begins at 0.
    assert measured.within("streaming") is None
    assert measured.within("scheduled") is None


def test_a_stream_that_ought_to_break_and_does_not_is_outside_its_window(story: Story) -> None:
    story.begin(windows={"streaming": window(49, 104, "x")})
    calm(story)
    story.frames(-9, 41)
    story.fault()
    assert "never interrupted" in str(story.measure().within("streaming"))


def test_cases_of_one_name_and_a_run_that_died_in_between(story: Story) -> None:
    story.begin(-10)
    story.end(-8)
    story.begin(-6)
    story.fault()
    story.begin(5)
    story.at(7, events.Note(text="the last words"))
    first, second, third = story.cases()
    assert [c.name for c in (first, second, third)] == [
        "worker-isolated",
        "worker-isolated #2",
        "worker-isolated #3",
    ]
    assert [intervals.measure(c).outcome for c in (first, second, third)] == [
        "passed",
        "aborted",
        "aborted",
    ]
    assert second.in_force is not None
    assert third.in_force is None
    assert intervals.measure(third).notes == ("the last words",)


def test_lines_that_are_out_of_time_order_are_put_right(story: Story) -> None:
    """Threads stamp first and write afterwards, so neighbours may swap."""
    thesis_worker_isolated(story)
    lines = story.path.read_text().splitlines(keepends=True)
    for index in range(0, len(lines) - 1, 2):
        lines[index], lines[index + 1] = lines[index + 1], lines[index]
    expected = seconds(story)
    story.path.write_text("".join(lines))
    assert seconds(story) == expected


def test_splitting_nothing() -> None:
    assert cases.split([]) == []
