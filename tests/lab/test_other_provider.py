"""The story of a lab with another provider: machines that exist already, reached by SSH.

The machine is a container that the test boots beforehand and hands over as a plain host,
by address, user and key. The provider under test creates and destroys nothing, shares no
storage between its hosts, and mounts no cache: the playbooks copy the artefacts there. At the
end, a playbook takes everything from the machine again.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
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
from lab.providers.provider import NodeFiles, NodeSet, StorageChoice

pytestmark = pytest.mark.lab

NAME = os.environ.get("LAB_TEST_NAME", "lab-test") + "-ssh"
MACHINES = os.environ.get("LAB_TEST_NAME", "lab-test") + "-pc"
"""Name of the lab that is no lab: it boots the machines, and nothing is built on it."""
SETTINGS = dict(word.split("=", 1) for word in os.environ.get("LAB_TEST_SET", "").split())
ARTEFACTS = "/var/lib/blackstart/artefacts"
PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
LOOK = {
    "path": "find /etc /opt /root /usr/lib/cni /usr/libexec /usr/local /var/lib /var/log"
    " /var/lib/containerd /var/lib/etcd /var/lib/kubelet /var/lib/rancher -xdev -printf '%p %l\\n'"
    " | sort -u",
    "unit": "systemctl list-unit-files --no-legend | awk '{print $1, $2}'",
    "service": "systemctl list-units --plain --no-legend --state=running,failed"
    " | awk '{print $1, $4}'",
    "process": "ps -eo comm=",
    "mount": "awk '{print $5}' /proc/self/mountinfo",
    "link": "ip -brief link | awk '{print $1}'",
    "route": "ip route",
    "rule": "for kind in iptables ip6tables; do"
    " $kind-save | sed -n 's/ \\[.*//; s/^\\(-A\\|:[^ ]* -\\)/'$kind' &/p'; done",
    "table": "nft list tables",
    "set": "ipset list -name",
    "port": "ss --listening --tcp --udp --numeric --no-header | awk '{print $1, $5}'",
    "cgroup": "find /sys/fs/cgroup -name 'kubepods*'",
    "runtime file": "find /run -maxdepth 2 -not -path '/run/user*' -not -path '/run/systemd*'",
}
"""What a machine has, a thing a line, by kind."""
OF_ITSELF = re.compile(
    r"path /etc/rc\d.d/.*haproxy|path /root/\.ansible|path /var/log/(journal|wtmp|btmp|lastlog)"
    r"|path /var/lib/(systemd|haproxy)/|runtime file /run/haproxy"
    r"|table table ip6? (filter|mangle|nat|raw)"
    r"|process (ssh|sftp|sh|bash|ps|sort|systemd|\(sd-pam|dbus)|runtime file /run/(log|xtables)"
    r"|unit session-|service (session-|user[@-])"
)
"""What comes and goes with a connection, the packages' own marks of what is disabled, and tables
of the packet filter that are empty."""
BARE: dict[str, set[str]] = {}
"""What the machine had before anything was installed."""


class ExistingHosts:
    """Hosts of the inventory, with the address, user and key that it gives them."""

    files = NodeFiles(artefacts_dir=ARTEFACTS, artefacts_mounted=False)

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

    def storage(self, servers):
        return StorageChoice(backend="local-path", reason="the hosts have nothing in common")

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
            return NodeSet()
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
        BARE.update(_look(node))
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


def uninstall(site: Path, *words: str) -> str:
    """Run the playbook as a user does, without the kit; return what it said."""
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("ansible-playbook"), PLAYBOOKS / "uninstall.yml"),
            *("--inventory", site / "hosts.yml", "-e", f"lab_artefacts_dir={ARTEFACTS}", *words),
        ],
        env={**os.environ, "ANSIBLE_HOST_KEY_CHECKING": "False", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_uninstall_tells_what_it_would_do(machine: Node, site: Path) -> None:
    before = _look(machine)
    assert "changed=0" not in uninstall(site, "--check")
    assert _more(before, _look(machine)) == []
    assert machine.run(["pgrep", "etcd|k3s-server"]).returncode == 0


def test_another_labs_machine_is_refused(machine: Node, site: Path) -> None:
    with pytest.raises(AssertionError, match=f"names the lab {NAME}"):
        uninstall(site, "-e", "lab_name=another")
    assert machine.run(["pgrep", "etcd|k3s-server"]).returncode == 0


def test_uninstall_leaves_the_machine_as_it_was(machine: Node, site: Path) -> None:
    said = uninstall(site)
    data = "/var/lib/blackstart/local-path"
    assert f"stay on server-1, in {data}" in said
    assert machine.run(["test", "-e", f"{data}/grid-mysql/ibdata1"]).returncode == 0
    # The second run has the data to remove, and nothing else.
    assert "changed=1 " in uninstall(site, "-e", "uninstall_data=true")
    assert _more(BARE, _look(machine)) == []
    assert _more(_look(machine), BARE) == [], "the machine's own"


def _look(node: Node) -> dict[str, set[str]]:
    """Return what a machine has, by kind."""
    return {
        kind: set(node.run(["sh", "-c", f"{command}; true"]).stdout.splitlines())
        for kind, command in LOOK.items()
    }


def _more(before: Mapping[str, set[str]], after: Mapping[str, set[str]]) -> list[str]:
    """Return what a machine has more than before, but for what comes of itself."""
    found = [f"{kind} {line}" for kind in LOOK for line in sorted(after[kind] - before[kind])]
    return [line for line in found if not OF_ITSELF.match(line)]


def _not_booted(node: Node) -> str | None:
    answer = node.run(["systemctl", "is-system-running"], timeout_s=10, check=False)
    return (
        None if answer.stdout.strip() in ("running", "degraded") else answer.stdout or "no answer"
    )
