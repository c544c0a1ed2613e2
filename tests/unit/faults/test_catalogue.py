"""Every fault of the list, against what a fault promises."""

import importlib
import inspect
import pkgutil
import subprocess

import pytest

import lab.faults
from lab.faults import heal, timer, traces
from lab.faults.catalogue import FAULTS
from lab.faults.fault import Fault


def test_each_fault_file_is_in_the_list() -> None:
    found = set()
    for module in pkgutil.iter_modules(lab.faults.__path__):
        members = vars(importlib.import_module(f"lab.faults.{module.name}")).values()
        found |= {
            kind
            for kind in members
            if inspect.isclass(kind) and kind is not Fault and hasattr(kind, "verify")
        }
    assert found == set(FAULTS)


def test_names_are_single_words_of_their_own() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.islower() for name in names)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_that_lasts_leaves_a_trace_that_healing_knows(fault: type[Fault]) -> None:
    assert bool(fault.traces) == fault.lasts
    assert set(fault.traces) <= set(heal.TRACES)


def test_the_scripts_are_valid_shell() -> None:
    for script in (traces.finding(heal.TRACES), traces.removing(heal.TRACES), timer.arm(3)):
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_what_stays_after_removing_is_a_failure() -> None:
    stubborn = traces.Trace(find="echo stone\n", remove=":\n")
    done = subprocess.run(
        ["sh", "-c", traces.removing([stubborn])], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "stone\n")
