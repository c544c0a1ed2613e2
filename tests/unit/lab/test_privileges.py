import os

import pytest

from lab.console.errors import LabError
from lab.host import environment, privileges


@pytest.fixture
def sudo(tmp_path, monkeypatch):
    """Have an ordinary user with a sudo of the test's own; return what it was asked."""
    asked = tmp_path / "asked"

    def install(script):
        program = tmp_path / "sudo"
        program.write_text(f'#!/bin/sh\necho "$*" >>{asked}\n{script}\n')
        program.chmod(0o755)
        return asked

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(environment, "SYSTEM_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    return install


def test_root_asks_nobody(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nonexistent")
    privileges.authorise(["start it"])
    assert privileges.as_root() == []


def test_a_user_with_a_nopasswd_rule_is_not_asked(sudo):
    asked = sudo('test "$1" = -n')
    privileges.authorise(["start it"])
    assert asked.read_text().splitlines() == ["-n true"]


def test_a_user_with_a_password_is_asked_once(sudo):
    asked = sudo('test "$1" = -v')
    privileges.authorise(["start it"])
    assert asked.read_text().splitlines() == ["-n true", "-v"]


def test_nobody_is_asked_where_root_is_not_needed(sudo):
    asked = sudo("exit 1")
    privileges.authorise([])
    assert not asked.exists()


def test_a_user_whom_sudo_refuses_hears_what_for(sudo):
    sudo("exit 1")
    with pytest.raises(LabError, match="needed to start it; and sudo refuses this user"):
        privileges.authorise(["start it"])


@pytest.mark.usefixtures("sudo")
def test_a_machine_without_the_program_sudo():
    with pytest.raises(LabError, match="no program sudo") as caught:
        privileges.authorise(["start it"])
    assert "install sudo" in caught.value.cure


def test_what_runs_as_root_is_given_its_variables(sudo):
    sudo("exit 0")
    assert privileges.as_root() == ["sudo"]
    assert privileges.as_root("-n", http_proxy="http://p") == [
        "sudo",
        "-n",
        "env",
        "http_proxy=http://p",
    ]
