import os

import pytest

from lab.console.errors import LabError
from lab.host import privileges


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
    monkeypatch.setenv("PATH", str(tmp_path))
    return install


def test_root_asks_nobody(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nonexistent")
    privileges.authorise()
    assert privileges.as_root() == []


def test_a_user_with_a_nopasswd_rule_is_not_asked(sudo):
    asked = sudo('test "$1" = -n')
    privileges.authorise()
    assert asked.read_text().splitlines() == ["-n true"]


def test_a_user_with_a_password_is_asked_once(sudo):
    asked = sudo('test "$1" = -v')
    privileges.authorise()
    assert asked.read_text().splitlines() == ["-n true", "-v"]


def test_a_user_whom_sudo_refuses(sudo):
    sudo("exit 1")
    with pytest.raises(LabError, match="sudo refuses this user"):
        privileges.authorise()


@pytest.mark.usefixtures("sudo")
def test_a_machine_without_the_program_sudo():
    with pytest.raises(LabError, match="no program sudo") as caught:
        privileges.authorise()
    assert "install sudo" in caught.value.cure
