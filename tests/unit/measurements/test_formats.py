"""Runs of other versions: older ones are read, newer ones refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from measurements import intervals, run_directory

HEAD = (
    '{"t_ns": %d, "wall": "2026-11-22T08:00:00.000Z", "case": "%s", "source": "%s", "event": "%s"'
)


def line(second: float, case: str, kind: str, fields: str) -> str:
    source, event = kind.split(".")
    return HEAD % (int(second * 1e9), case, source, event) + ", " + fields + "}\n"


def case_of_format_1(name: str, node: str, recovery: str, fault: str, target: str) -> str:
    said = f'"fault": "{fault}", "target": "{target}"'
    node_seen = f'"name": "{target}", "ready": "%s", "reason": "", "via": "server-1"'
    return "".join(
        [
            line(1, name, "api.node", node_seen % "True"),
            line(
                2,
                name,
                "harness.case_start",
                f'"title": "A case", "app": "pdc-higher", "node": "{node}", '
                f'"recovery": "{recovery}", '
                '"windows": {"ready": {"earliest_s": 1, "latest_s": 2, "why": "x"}}',
            ),
            line(3, name, "fault.start", said),
            line(4, name, "fault.in_force", said),
            line(44, name, "api.node", node_seen % "Unknown"),
            line(50, name, "fault.stop", said),
            line(60, name, "harness.case_end", '"outcome": "passed", "message": ""'),
        ]
    )


@pytest.mark.parametrize(
    ("told", "lasts", "breaks_node", "published"),
    [
        (("replacement", "isolate", "worker-1"), True, "worker-1", "node_isolated"),
        (("restart", "kill", "grid/pdc-1"), False, None, "container_restart"),
        (("replacement", "delete", "grid/mysql-1"), False, None, None),
    ],
)
def test_a_history_of_format_1_says_what_it_said(
    tmp_path: Path,
    told: tuple[str, str, str],
    lasts: bool,
    breaks_node: str | None,
    published: str | None,
) -> None:
    recovery, fault, target = told
    path = tmp_path / "history.jsonl"
    path.write_text(case_of_format_1("a-case", breaks_node or "", recovery, fault, target))
    (case,) = intervals.measure_file(path)
    assert (case.fault, case.target, case.lasts) == (fault, target, lasts)
    assert (case.breaks_node, case.published) == (breaks_node, published)
    assert case.windows["ready"].latest_s == 2
    assert case.intervals["not_ready"].seconds == (40 if breaks_node else None)


def test_a_run_of_a_later_format_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("")
    (tmp_path / "run.json").write_text(json.dumps({"format": run_directory.FORMAT + 1}))
    argv = [sys.executable, "-m", "measurements.report", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is a run of format 3, and this version of Blackstart reads formats up to 2" in (
        done.stderr
    )
    assert not (tmp_path / "index.html").exists()
