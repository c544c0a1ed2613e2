"""The `lab` command with a provider that makes nothing, and what its user must see of an error."""

import urllib.error
import urllib.request

import pytest
from typer.testing import CliRunner

from lab.cluster import survey
from lab.commands import cli, options
from lab.commands.life import up
from lab.host import environment
from lab.host.requirements import Requirements
from lab.nodes.node import Node
from lab.providers import registry
from lab.providers.provider import NodeSet, StorageChoice


class Provider:
    """One server, which nobody reaches."""

    def __init__(self, _name, lab, state, _cache=None):
        self.server = Node(
            name="server-1", cluster=lab, role="server", address="127.0.0.1", ssh=state.ssh
        )

    def list_nodes(self):
        running = frozenset({"server-1"})
        return NodeSet(nodes=(self.server,), running=running, distribution="kubeadm")

    def requirements(self, nodes):
        return Requirements()

    def availability(self):
        return "engine: none"

    def journal(self):
        return ""

    def obstacles(self, inventory):
        return []

    def storage(self, servers):
        return StorageChoice(backend="local-path", reason="it is all that they have")

    def remove(self, name):
        return []

    def destroy(self, owner=""):
        return []


def no_network(request, timeout):
    raise urllib.error.URLError("no network here")


def started(tmp_path_factory):
    """Yield what runs a command, with no network, no nodes, and an ssh that reaches nobody."""
    programs = tmp_path_factory.mktemp("programs")
    (programs / "ssh").write_text("#!/bin/sh\necho refused >&2; exit 255\n")
    (programs / "ssh").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "SYSTEM_PATH", str(programs))
        patch.setattr(registry, "provider", Provider)
        patch.setattr(survey, "frame_rates", lambda nodes: ())
        patch.setattr(options, "become", lambda argv: None)
        patch.setattr(urllib.request, "urlopen", no_network)
        patch.setattr(up, "bring_up", lambda inventory, progress: pytest.skip("nothing is wrong"))
        patch.setenv("BLACKSTART_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("BLACKSTART_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("COLUMNS", "300")
        yield lambda *words: CliRunner().invoke(cli.app, list(words))


def is_told(done, *names):
    """Return whether a command ended well, or with one sentence about one of `names`."""
    assert done.exit_code in (0, 1, 2), f"{done.exit_code}: {done.output}"
    assert "Traceback" not in done.output
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    if errors:
        assert len(errors) == 1
        assert any(name in done.stderr for name in names), done.stderr
        assert len(done.stderr.strip().splitlines()) >= 2, "a sentence, and a cure"
    else:
        assert done.exit_code == 0 or "not healthy" in done.stdout
