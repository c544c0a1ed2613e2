import json
from pathlib import Path
from typing import Any

import pytest
from histories import Story, fault, thesis_worker_isolated, window

from measurements import events, history, intervals, machine, report, run_directory
from measurements.run import Run


def make(reports: Path, name: str = "failover") -> Run:
    return Run.create(
        reports,
        name,
        lab={
            "lab_name": "blackstart",
            "db_password": "hunter2",
            "nodes": {"servers": 3, "join_token": "hunter3"},
            "keys": ["hunter4"],
        },
        profile={"name": "thesis", "toleration_s": 20},
        versions={"kubernetes": "v1.34.3"},
        measuring={"silence_s": 1.0},
    )


def declared(app: str, **more: Any) -> events.CaseStart:
    return events.CaseStart(title="A case", app=app, recovery="replacement", **more)


def test_run_json_says_what_was_measured_where(tmp_path: Path) -> None:
    made = make(tmp_path)
    about = json.loads((made.directory / "run.json").read_text())
    assert about["machine"].keys() == {
        "cpu_model",
        "cpu_cores",
        "architecture",
        "memory_gib",
        "kernel",
        "os",
        "cgroup_version",
        "virtualisation",
    }
    assert about["machine"]["cpu_cores"] >= 1
    assert about["versions"]["kubernetes"] == "v1.34.3"
    assert about["versions"].keys() >= {"blackstart", "python"}
    assert about["profile"] == {"name": "thesis", "toleration_s": 20}
    made.close()


def test_no_secret_gets_into_a_run_directory(tmp_path: Path) -> None:
    made = make(tmp_path)
    made.finish()
    made.close()
    for path in made.directory.iterdir():
        assert "hunter" not in path.read_text(), path
    about = json.loads((made.directory / "run.json").read_text())
    assert about["lab"] == {"lab_name": "blackstart", "nodes": {"servers": 3}}


def test_latest_points_to_the_newest_run(tmp_path: Path) -> None:
    first, second = make(tmp_path), make(tmp_path)
    assert first.directory != second.directory
    assert (tmp_path / "latest").resolve() == second.directory.resolve()
    assert not (tmp_path / "latest").readlink().is_absolute()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [first.directory.name, second.directory.name, "latest"]
    )
    first.close()
    second.close()


@pytest.mark.parametrize("name", ["", "Fail Over", "../x", "a_b", "-a"])
def test_a_name_that_makes_a_bad_directory_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a-z, 0-9 and hyphens"):
        make(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_case_that_fails_keeps_its_words(tmp_path: Path) -> None:
    made = make(tmp_path)
    with (
        pytest.raises(AssertionError),
        made.case("pdc-killed", declared("pdc-higher")),
    ):
        raise AssertionError("ready after 40 s")
    made.close()
    (case,) = json.loads((made.directory / "results.json").read_text())["cases"]
    assert case["outcome"] == "failed"
    assert case["message"] == "AssertionError: ready after 40 s"
    assert "ready after 40 s" in (made.directory / "index.html").read_text()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_no_verdict(tmp_path: Path, interruption: type[BaseException]) -> None:
    made = make(tmp_path)
    with pytest.raises(interruption), made.case("one", declared("a")):
        raise interruption
    made.close()
    (case,) = json.loads((made.directory / "results.json").read_text())["cases"]
    assert case["outcome"] == "aborted"
    assert "one broke off" in (made.directory / "index.html").read_text()


def test_pytest_s_own_failure_is_a_failure(tmp_path: Path) -> None:
    made = make(tmp_path)
    with pytest.raises(pytest.fail.Exception), made.case("one", declared("a")):
        pytest.fail("no good")
    made.close()
    (case,) = json.loads((made.directory / "results.json").read_text())["cases"]
    assert (case["outcome"], case["message"]) == ("failed", "Failed: no good")


def test_every_case_leaves_results_and_report_behind(tmp_path: Path) -> None:
    made = make(tmp_path)
    with made.case("one", declared("a")):
        pass
    assert (made.directory / "index.html").exists()
    with made.case("two", declared("a")):
        pass
    made.close()
    results = json.loads((made.directory / "results.json").read_text())
    assert [case["name"] for case in results["cases"]] == ["one", "two"]


def test_a_report_that_fails_does_not_decide_on_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> Path:
        raise ZeroDivisionError

    made = make(tmp_path)
    monkeypatch.setattr(report, "render", fail)
    with made.case("one", declared("a")):
        pass
    with pytest.raises(ZeroDivisionError):
        made.finish()
    made.close()
    assert "report were not made" in (made.directory / "history.jsonl").read_text()


def test_events_between_cases_belong_to_none(tmp_path: Path) -> None:
    made = make(tmp_path)
    with made.case("one", declared("a")):
        made.history.record(events.Note(text="within"))
    made.history.record(events.Note(text="after"))
    made.close()
    notes = {
        e.body.text: e.case
        for e in history.read(made.directory / "history.jsonl")
        if isinstance(e.body, events.Note)
    }
    assert notes == {"within": "one", "after": ""}


def test_waiting_for_a_stage_that_does_not_come_ends_with_evidence(tmp_path: Path) -> None:
    made = make(tmp_path)
    case = made.begin_case("one", declared("mysql"))
    made.history.record(events.FaultInForce(**fault("kill", "mysql-0")))
    with pytest.raises(TimeoutError) as caught:
        case.wait_for("ready", "streaming", limit_s=0.2, poll_s=0.05)
    words = str(caught.value)
    assert "at most 0.2 s for ready, streaming" in words
    assert "no pod of mysql was seen before the fault" in words
    assert "FaultInForce(fault='kill'" in words
    made.close()


def test_an_unknown_stage_in_the_windows_is_refused(tmp_path: Path) -> None:
    made = make(tmp_path)
    with pytest.raises(ValueError, match="no such stage: 'redy'"):
        made.begin_case("one", declared("a", windows={"redy": window(0, 1)}))
    made.close()


def test_a_run_can_be_finished_again_when_more_files_are_there(tmp_path: Path) -> None:
    made = make(tmp_path)
    assert "junit.xml" not in made.finish().read_text()
    (made.directory / "junit.xml").write_text("<testsuites/>")
    assert 'href="junit.xml"' in made.finish().read_text()
    made.close()


def test_results_hold_every_figure_of_a_case(tmp_path: Path) -> None:
    story = Story(tmp_path / "history.jsonl")
    thesis_worker_isolated(story)
    story.recorder.close()
    run_directory.write_results(tmp_path)
    (case,) = json.loads((tmp_path / "results.json").read_text())["cases"]
    assert case["intervals"]["not_ready"]["seconds"] == 37.2
    assert case["intervals"]["not_ready"]["lines"] == [661]
    assert case["windows"]["not_ready"]["latest_s"] == 48
    assert case["frames"]["lost"] == 3129
    assert case["sql"]["missing"] == []


def test_a_machine_that_tells_little_is_still_described(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_lines", lambda _: [])
    monkeypatch.setattr(machine, "_output", lambda _: "")
    described = machine.describe()
    assert described["cpu_model"]
    assert described["virtualisation"]


def test_a_case_measured_while_it_runs_is_measured_as_afterwards(tmp_path: Path) -> None:
    made = make(tmp_path)
    path = made.directory / "history.jsonl"
    calm = events.NodeSeen(name="worker-1", ready="True", reason="", via="server-1")
    made.history.record(calm)
    made.history.record(events.StreamConfigured(idcode=20, rate=50.0, pmus=("pmu-1",)))
    made.history.record(events.FrameArrived(soc=1, fraction=0.0, idcode=20, stats=(0,)))
    case = made.begin_case("one", declared("pdc-higher"))
    made.history.record(events.FaultInForce(**fault("isolate", "worker-1")))
    for number in range(3):
        frame = events.FrameArrived(soc=2, fraction=number / 50, idcode=20, stats=(0,))
        made.history.record(frame)
        case.measure()
    made.history.record(
        events.NodeSeen(name="worker-1", ready="Unknown", reason="", via="server-1")
    )
    running = case.measure()
    assert running.intervals["not_ready"].seconds is not None
    assert running.frames is not None
    assert (running.frames.received, running.frames.absent_by_pmu) == (3, {"pmu-1": 0})
    assert intervals.measure_file(path) == [running]
    made.close()
