"""The story of a lab with another provider: machines that exist already, reached by SSH.

The machine is a container that the test boots beforehand and hands over as a plain host,
by address, user and key. The provider under test creates and destroys nothing, shares no
storage between its hosts, and mounts no cache: the playbooks copy the artefacts there.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from lab.artefacts import Cache
from lab.artefacts.cache import sha256_of
from lab.commands import cli
from lab.config import inventory
from lab.console.errors import LabError
from lab.console.progress import Silent, wait
from lab.host.requirements import Requirements
from lab.nodes.node import Node, Ssh
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.providers.provider import NodeFiles, NodeSet

pytestmark = pytest.mark.lab

NAME = os.environ.get("LAB_TEST_NAME", "lab-test") + "-ssh"
MACHINES = os.environ.get("LAB_TEST_NAME", "lab-test") + "-pc"
"""Name of the lab that is no lab: it boots the machines, and nothing is built on it."""
SETTINGS = dict(word.split("=", 1) for word in os.environ.get("LAB_TEST_SET", "").split())
ARTEFACTS = "/var/lib/blackstart/artefacts"


class ExistingHosts:
    """Hosts of the inventory, with the address, user and key that it gives them."""

    files = NodeFiles(artefacts_dir=ARTEFACTS, artefacts_mounted=False, storage="local")

    def __init__(self, lab, state, cache):
        self._lab = lab
        self._state = state
        self._file = state.directory / "existing-hosts.json"

    def requirements(self, nodes):
        return Requirements()

    def availability(self):
        return "hosts: those of the inventory"

    def remove(self, name):
        return []

    def obstacles(self, inventory):
        return []

    def prepare_machine(self, progress):
        pass

    def artefacts(self):
        return {}

    def create(self, inventory, distribution, progress):
        hosts = [
            {"name": name, "role": role, **inventory.variables[name]}
            for name, role in inventory.hosts.items()
        ]
        self._state.directory.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"distribution": distribution, "hosts": hosts}))

    def list_nodes(self):
        if not self._file.exists():
            return NodeSet(nodes=(), running=frozenset(), distribution="")
        kept = json.loads(self._file.read_text())
        nodes = tuple(self._node(host) for host in kept["hosts"])
        running = (node.name for node in nodes if node.run(["true"], check=False).returncode == 0)
        return NodeSet(nodes=nodes, running=frozenset(running), distribution=kept["distribution"])

    def _node(self, host):
        return Node(
            name=host["name"],
            cluster=self._lab,
            role=host["role"],
            address=host["ansible_host"],
            ssh=Ssh(
                key=Path(host["ansible_ssh_private_key_file"]),
                known_hosts=Path(host["known_hosts_file"]),
                user=host["ansible_user"],
            ),
        )

    def start(self):
        pass

    def stop(self):
        pass

    def power_off(self, node):
        raise LabError(f"Nobody can cut the power of {node.name} from here.")

    def journal(self):
        return ""

    def destroy(self, owner=""):
        return []


@pytest.fixture(scope="module")
def machine() -> Iterator[Node]:
    """Boot a machine that answers to SSH, and remove it afterwards."""
    wanted = inventory.load(Path(__file__).parents[2] / "inventories" / "embedded")
    one = inventory.Inventory(
        directory=wanted.directory, settings=wanted.settings, hosts={"server-1": "server"}
    )
    state = StateDirectory(MACHINES)
    provider = registry.provider("container", MACHINES, state)
    try:
        provider.prepare_machine(Silent())
        provider.create(one, "kubeadm", Silent())
        provider.start()
        (node,) = provider.list_nodes().nodes
        with Silent().step("Boot") as step:
            wait("SSH", lambda: _not_booted(node), limit_s=60, step=step)
        yield node
    finally:
        provider.destroy()
        state.remove()


@pytest.fixture(scope="module")
def site(machine: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the inventory that hands the machine over as a plain host."""
    directory = tmp_path_factory.mktemp("site with a space")
    host = {
        "ansible_host": machine.address,
        "ansible_user": machine.ssh.user,
        "ansible_ssh_private_key_file": str(machine.ssh.key),
        "known_hosts_file": str(machine.ssh.known_hosts),
    }
    groups = {
        "servers": {"hosts": {"server-1": host}},
        "workers": {"hosts": {}},
        "cluster": {"children": {"servers": None, "workers": None}},
    }
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))
    (directory / "group_vars").mkdir()
    settings = {"lab_name": NAME, "lab_provider": "hosts", **SETTINGS}
    (directory / "group_vars" / "all.yml").write_text(yaml.safe_dump(settings))
    return directory


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the test's provider where a provider of the kit is named."""
    monkeypatch.setitem(registry.PROVIDERS, "hosts", f"{__name__}:{ExistingHosts.__name__}")


def lab(*words: str) -> Any:
    """Run a `lab` command in this process, which alone knows the provider."""
    done = CliRunner().invoke(cli.app, list(words))
    print(f"$ lab {' '.join(words)}\n{done.output}")
    return done


def test_preflight_knows_the_provider(site: Path) -> None:
    done = lab("preflight", "--inventory", str(site))
    assert done.exit_code == 0
    assert "hosts: those of the inventory" in done.stdout
    assert "Docker" not in done.stdout


def test_up_ends_with_frames(site: Path) -> None:
    done = lab("up", "--inventory", str(site))
    assert done.exit_code == 0, done.stderr
    assert "frames flow" in done.stdout


def test_artefacts_were_copied(machine: Node) -> None:
    found = machine.run(
        ["find", ARTEFACTS, "-type", "f", "-size", "+1M", "-printf", "%P\\n"]
    ).stdout.splitlines()
    assert found
    for relative in found:
        digest = machine.run(["sha256sum", f"{ARTEFACTS}/{relative}"]).stdout.split()[0]
        assert digest == sha256_of(Cache().root / relative), relative


def test_status_shows_the_host(machine: Node) -> None:
    done = lab("status", "--name", NAME, "--json")
    status = json.loads(done.stdout)
    assert done.exit_code == 0, status
    assert [(node["name"], node["address"]) for node in status["nodes"]] == [
        ("server-1", machine.address)
    ]


def test_up_on_the_running_lab_changes_nothing(site: Path) -> None:
    done = lab("up", "--inventory", str(site))
    assert done.exit_code == 0, done.stderr
    assert "changed=0" in done.stdout


def test_down_leaves_the_machine(machine: Node) -> None:
    done = lab("down", "--name", NAME)
    assert done.exit_code == 0, done.stderr
    assert not StateDirectory(NAME).directory.exists()
    assert machine.run(["true"]).returncode == 0
    done = lab("status", "--name", NAME)
    assert done.exit_code == 1
    assert "There is no lab" in done.stderr


def _not_booted(node: Node) -> str | None:
    answer = node.run(["systemctl", "is-system-running"], timeout_s=10, check=False)
    return (
        None if answer.stdout.strip() in ("running", "degraded") else answer.stdout or "no answer"
    )
