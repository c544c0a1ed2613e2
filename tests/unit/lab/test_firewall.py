"""The engine's packet-filter rules: that they are gone is found, and mended or said."""

import pytest

from lab.artefacts import Cache
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.host.command import Result
from lab.nodes.state import StateDirectory
from lab.providers.container import engine, firewall, network
from lab.providers.container.provider import ContainerProvider
from tests.unit.lab.fake_engine import Container, client_of, refusal

GONE = refusal("iptables: No chain/target/match by that name.", code=500)


@pytest.fixture
def no_programs(monkeypatch):
    """Let no program of this machine run; return the words of those that would have."""
    ran = []

    def run(argv, **_):
        ran.append(argv)
        return Result(
            argv=tuple(argv), returncode=0, stdout="-P FORWARD DROP\n-N DOCKER", stderr=""
        )

    monkeypatch.setattr(firewall, "run", run)
    monkeypatch.setattr(firewall.os, "geteuid", lambda: 0)
    return ran


def nodes(*answers):
    made = []
    for number, answer in enumerate(answers):
        made.append(Container(f"n{number}", address=f"10.87.0.{number}"))
        made[-1].answer = f"{answer}\n".encode()
    return made


def provider(monkeypatch, tmp_path, containers):
    monkeypatch.setattr(engine, "connect", lambda: client_of(containers))
    monkeypatch.setattr(engine, "information", lambda: {"ServerVersion": "20.10"})
    return ContainerProvider("x", StateDirectory("x", tmp_path), Cache(tmp_path))


@pytest.mark.parametrize(
    ("answers", "cut"),
    [
        (["cut", "cut", "cut"], True),
        (["cut", "reached"], False),
        (["cut", "the node's own rules"], False),
        (["cut"], False),
        ([], False),
    ],
)
@pytest.mark.usefixtures("no_programs")
def test_nodes_are_cut_apart_where_none_reaches_another_and_none_is_broken(
    monkeypatch, tmp_path, answers, cut
):
    lab = provider(monkeypatch, tmp_path, nodes(*answers))
    if not cut:
        lab.start()
        assert lab.availability() == "Docker engine: 20.10 answers, this machine's own"
        return
    with pytest.raises(LabError, match="none reaches another") as caught:
        lab.start()
    assert "Restart the engine" in caught.value.cure
    assert "-P FORWARD DROP" in caught.value.evidence
    assert "no node of the lab reaches another" in lab.availability()


def test_a_chain_that_is_gone_is_seen_before_a_lab_is_made(monkeypatch, tmp_path):
    answer = Result(argv=(), returncode=0, stdout="-P FORWARD DROP\n", stderr="")
    monkeypatch.setattr(firewall, "run", lambda *_, **__: answer)
    monkeypatch.setattr(firewall.os, "geteuid", lambda: 0)
    found = provider(monkeypatch, tmp_path, []).availability()
    assert found.startswith(
        "Docker engine: 20.10 answers, this machine's own, but its chains are gone"
    )
    assert "Restart the engine" in found


def test_the_engine_is_restarted_where_it_has_lost_its_chains(monkeypatch, tmp_path):
    done = []

    def ensure(*_):
        done.append("network")
        if done == ["network"]:
            raise GONE

    monkeypatch.setattr(network, "ensure", ensure)
    monkeypatch.setattr(firewall, "mend", lambda *_: done.append("mend"))
    provider(monkeypatch, tmp_path, [])._network("auto", Silent())
    assert done == ["network", "mend", "network"]


def test_the_engine_is_not_restarted_under_containers_that_run(no_programs):
    client = client_of([Container("mine", found={})])
    with pytest.raises(LabError, match="may end containers that run: x-mine") as caught:
        firewall.mend(client, GONE, Silent())
    assert "Restart it yourself" in caught.value.cure
    assert no_programs == []


def test_the_bridge_of_the_network_that_failed_is_removed(no_programs, monkeypatch):
    monkeypatch.setattr(firewall, "_stop", lambda: None)
    monkeypatch.setattr(engine, "ensure", lambda _: None)
    words = "rule -i br-12c02a699431 -j DROP: No chain/target/match by that name."
    firewall.mend(client_of(), refusal(words), Silent())
    assert no_programs[-1] == ["ip", "link", "delete", "br-12c02a699431"]


def test_an_engine_that_the_user_names_is_not_restarted(no_programs, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    with pytest.raises(LabError, match="engine of DOCKER_HOST"):
        firewall.mend(client_of(), GONE, Silent())
    assert no_programs == []
