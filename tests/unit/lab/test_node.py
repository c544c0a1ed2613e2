import subprocess
from pathlib import Path

import pytest

from lab.nodes.node import Node, Ssh


def node(user="root", folder=Path("/state")):
    ssh = Ssh(key=folder / "id", known_hosts=folder / "known_hosts", user=user)
    return Node(name="a", cluster="x", role="server", address="192.0.2.1", ssh=ssh)


def test_commands_run_as_root_whoever_logs_in():
    assert node().root_argv(["cat", "a b"])[-2:] == ("root@192.0.2.1", "cat 'a b'")
    assert node("pi").root_argv(["cat", "a b"])[-2:] == ("pi@192.0.2.1", "sudo -n cat 'a b'")


@pytest.mark.parametrize("name", ["my state", "100%h", "plain"])
def test_ssh_reads_paths_as_they_are(tmp_path, name):
    """The judge is ssh itself, which prints what it has read and connects to nobody."""
    folder = tmp_path / name
    done = subprocess.run(
        [*node(folder=folder).ssh_argv("-G")], capture_output=True, text=True, check=True
    )
    understood = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    # ssh -G prints names before it replaces tokens, of which %% stands for one %.
    assert understood["identityfile"].replace("%%", "%") == f"{folder}/id"
    assert understood["userknownhostsfile"].replace("%%", "%") == f"{folder}/known_hosts"
