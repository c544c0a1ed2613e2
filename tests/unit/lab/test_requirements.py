from pathlib import Path

import pytest

from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.host import packages, requirements
from lab.host.requirements import GIB, DiskSpace, Requirements

HUGE = 1 << 60


def test_every_shortage_of_every_part_is_told(tmp_path: Path) -> None:
    space = DiskSpace(path=tmp_path / "not" / "yet", size=HUGE, purpose="the nodes")
    lines = requirements.shortages(
        [
            Requirements(memory=HUGE, memory_purpose="4 nodes"),
            Requirements(disk=(space,)),
        ]
    )
    assert len(lines) == 2
    assert lines[0].startswith("memory: ")
    assert "for 4 nodes" in lines[0]
    assert f"in {tmp_path} for the nodes, {HUGE / GIB:.1f} are needed" in lines[1]


def test_nothing_needed_is_no_shortage() -> None:
    assert requirements.shortages([Requirements()]) == []


def test_a_kernel_parameter_that_is_high_enough_stays(monkeypatch) -> None:
    monkeypatch.setattr(requirements, "run", lambda *_, **__: pytest.fail("changed something"))
    requirements.raise_sysctls({"kernel.pid_max": 1}, Silent())


def test_a_kernel_parameter_that_is_too_low_is_raised(monkeypatch) -> None:
    called = []
    monkeypatch.setattr(requirements, "authorise", called.extend)
    monkeypatch.setattr(requirements, "run", lambda argv, **_: called.append(argv[-1]))
    requirements.raise_sysctls({"kernel.pid_max": HUGE}, Silent())
    wanted = [f"raise kernel.pid_max to {HUGE}", f"echo {HUGE} >/proc/sys/kernel/pid_max"]
    assert called == wanted


def test_packages_of_programs_and_files_that_lack() -> None:
    wanted = {"sh": "dash", "no-such-program": "b", "/no/such/file": "a", "/etc": "base-files"}
    assert packages.missing(wanted) == ["a", "b"]


def test_a_machine_without_apt_is_told_what_it_lacks(monkeypatch) -> None:
    monkeypatch.setattr(packages.environment, "which", lambda _: None)
    with pytest.raises(LabError, match=r"lacks the packages b.*no apt-get"):
        packages.ensure({"no-such-program": "b"}, Silent())
