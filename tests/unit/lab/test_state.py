import fcntl
import multiprocessing
import stat

import pytest

from lab.console.errors import LabError
from lab.nodes.state import StateDirectory


def hold(root, held, done):
    with StateDirectory("one", root).lock():
        held.set()
        done.wait(20)


def test_second_command_on_a_lab_is_refused_while_the_first_works(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    first = context.Process(target=hold, args=(tmp_path, held, done))
    first.start()
    try:
        assert held.wait(20)
        with pytest.raises(LabError, match=str(first.pid)), StateDirectory("one", tmp_path).lock():
            pass
        with StateDirectory("two", tmp_path).lock():
            pass
    finally:
        done.set()
        first.join(20)
    with StateDirectory("one", tmp_path).lock():
        pass


def test_killed_command_leaves_no_lock(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    first = context.Process(target=hold, args=(tmp_path, held, done))
    first.start()
    assert held.wait(20)
    first.kill()
    first.join(20)
    with StateDirectory("one", tmp_path).lock():
        pass


def test_keys_are_made_once_and_are_private(tmp_path):
    state = StateDirectory("one", tmp_path)
    state.make_keys()
    before = state.ssh.key.read_bytes()
    state.make_keys()
    assert state.ssh.key.read_bytes() == before
    assert stat.S_IMODE(state.ssh.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.directory.stat().st_mode) == 0o700


def test_half_a_pair_of_keys_is_made_again(tmp_path):
    state = StateDirectory("one", tmp_path)
    state.make_keys()
    public = state.host_key.with_suffix(".pub")
    public.unlink()
    state.make_keys()
    assert public.read_text().startswith("ssh-ed25519")
    assert state.host_key.exists()


def test_a_directory_that_cannot_be_removed_is_said(tmp_path, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    state = StateDirectory("one", tmp_path)
    state.remove()  # of what is not there
    monkeypatch.setattr("lab.nodes.state.shutil.rmtree", refuse)
    with pytest.raises(LabError, match="can't be removed: Permission denied"):
        state.remove()


def test_known_hosts_has_a_line_a_node(tmp_path):
    state = StateDirectory("one", tmp_path)
    state.make_keys()
    state.know_hosts(["10.87.0.11", "10.87.0.12"])
    lines = state.ssh.known_hosts.read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["10.87.0.11", "ssh-ed25519"],
        ["10.87.0.12", "ssh-ed25519"],
    ]


def test_a_lock_that_its_holder_has_just_removed_is_none(tmp_path, monkeypatch):
    lock = fcntl.flock

    def after_the_holders_end(file, how):
        (tmp_path / "one.lock").unlink()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", after_the_holders_end)
    with pytest.raises(LabError, match="is at work"), StateDirectory("one", tmp_path).lock():
        pass
