"""The script that brings GlusterFS' pool to the servers, with a gluster that stands in."""

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.modules import loaded

SCRIPT = Path(__file__).parents[2] / "playbooks/roles/storage/files/pool.py"
SERVERS = ["10.0.0.11", "10.0.0.12", "10.0.0.13"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = loaded(SCRIPT)
    clock = itertools.count()
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    return module


class Gluster:
    """The pool as the first server sees it; `words` are the commands that changed something."""

    def __init__(self, script: ModuleType, peers: Sequence[str], bricks: Sequence[str]) -> None:
        self.peers, self.bricks = [*peers], [*bricks]
        self.started = bool(bricks)
        self.options: dict[str, str] = {}
        self.words: list[str] = []
        self.refusals: list[str] = []
        self.behind = 0
        self.known_as: dict[str, str] = {}
        self._refused = script.RefusedError
        script.gluster = self.answer  # type: ignore[attr-defined]

    def answer(self, *words: str) -> ET.Element:
        match words:
            case ("pool", "list"):
                known = {**{peer: peer for peer in self.peers}, **self.known_as}
                peers = "".join(
                    f"<peer><hostname>{known[peer]}</hostname>"
                    "<connected>1</connected><state>3</state></peer>"
                    for peer in self.peers
                )
                return xml(f"<a><peer><hostname>localhost</hostname></peer>{peers}</a>")
            case ("volume", "info"):
                return xml(f"<a>{self._volume()}</a>")
            case ("volume", "heal", *_):
                self.behind -= 1
                entries = max(self.behind, 0)
                one = f"<status>Connected</status><numberOfEntries>{entries}</numberOfEntries>"
                return xml(f"<a>{f'<brick>{one}</brick>' * len(self.bricks)}</a>")
        if self.refusals:
            raise self._refused(self.refusals.pop())
        self.words.append(" ".join(words))
        match words:
            case ("peer", "probe", peer):
                self.peers.append(peer)
            case ("peer", "detach", name, "force"):
                peer = next((a for a, known in self.known_as.items() if known == name), name)
                assert peer not in self.bricks, "it has a brick of the volume"
                self.peers.remove(peer)
            case ("volume", "create", _, *bricks, "force"):
                self.bricks = hosts(bricks)
            case ("volume", "add-brick", _, "replica", number, *bricks, "force"):
                self.bricks += hosts(bricks)
                assert len(self.bricks) == int(number)
            case ("volume", "remove-brick", _, "replica", number, *bricks, "force"):
                self.bricks = [brick for brick in self.bricks if brick not in hosts(bricks)]
                assert len(self.bricks) == int(number)
            case ("volume", "set", _, *pairs):
                self.options.update(zip(pairs[::2], pairs[1::2], strict=True))
            case ("volume", "start", _):
                self.started = True
        return ET.Element("a")

    def _volume(self) -> str:
        if not self.bricks:
            return ""
        bricks = "".join(f"<brick>x<name>{host}:/b</name></brick>" for host in self.bricks)
        options = "".join(
            f"<option><name>{name}</name><value>{value}</value></option>"
            for name, value in self.options.items()
        )
        state = "Started" if self.started else "Created"
        return f"<volume><name>v</name><statusStr>{state}</statusStr>{bricks}{options}</volume>"


def xml(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - of the lines above


def hosts(bricks: Sequence[str]) -> list[str]:
    return [brick.partition(":")[0] for brick in bricks if ":" in brick]


def changes(script: ModuleType, *, changing: bool = True, **wanted: Any) -> list[str]:
    told = {
        "volume": "v", "brick": "/b", "own": SERVERS[0], "servers": SERVERS, "fresh": [],
        "replicas": 3, "options": {"network.ping-timeout": "5"}, "limit_s": 60,
    }  # fmt: skip
    return [*script.Pool({**told, **wanted}, changing=changing).changes()]


def test_a_new_lab_gets_a_replica_on_each_of_three_servers_and_a_second_run_nothing(script):
    gluster = Gluster(script, [], [])
    assert changes(script, fresh=SERVERS)
    assert gluster.peers == SERVERS[1:]
    assert gluster.bricks == SERVERS
    assert gluster.started
    assert gluster.options == {"network.ping-timeout": "5"}
    assert changes(script) == []


def test_check_says_what_would_change_and_changes_nothing(script):
    gluster = Gluster(script, [], [])
    assert len(changes(script, changing=False, fresh=SERVERS)) == 5
    assert gluster.words == []


def test_a_server_that_lost_its_disk_joins_as_a_new_one(script):
    gluster = Gluster(script, SERVERS[1:], SERVERS)
    gluster.options["network.ping-timeout"] = "5"
    gluster.behind = 5
    assert changes(script, fresh=[SERVERS[2]]) == [
        "10.0.0.13 had a replica and has lost it",
        "10.0.0.13 leaves the pool",
        "10.0.0.13 joins the pool",
        "10.0.0.13: a replica more",
    ]
    assert gluster.bricks == SERVERS
    assert gluster.behind <= 0, "it should have waited for the copy"


def test_the_first_server_is_replaced_through_another(script, monkeypatch):
    """The others know it by its name, as it took them in."""
    gluster = Gluster(script, [SERVERS[0], SERVERS[2]], SERVERS)
    gluster.known_as = {SERVERS[0]: "server-1"}
    monkeypatch.setattr(
        script.socket,
        "gethostbyname",
        lambda name: {"server-1": SERVERS[0]}.get(name, name),
    )
    changes(script, own=SERVERS[1], fresh=[SERVERS[0]])
    assert sorted(gluster.bricks) == SERVERS
    assert sorted(gluster.peers) == [SERVERS[0], SERVERS[2]]


def test_servers_that_are_gone_give_their_replica_to_new_ones(script):
    gluster = Gluster(script, SERVERS[1:], SERVERS)
    changes(script, servers=[*SERVERS[:2], "10.0.0.14"], fresh=["10.0.0.14"])
    assert gluster.bricks == [*SERVERS[:2], "10.0.0.14"]
    assert gluster.peers == [SERVERS[1], "10.0.0.14"]


def test_more_servers_get_no_more_replicas(script):
    gluster = Gluster(script, SERVERS[1:], SERVERS)
    more = ["10.0.0.14", "10.0.0.15"]
    changes(script, servers=[*more, *SERVERS], fresh=more)
    assert gluster.bricks == SERVERS
    assert gluster.peers == [*SERVERS[1:], *more]


@pytest.mark.parametrize("number", [1, 2])
def test_without_three_servers_one_has_the_data(script, number):
    gluster = Gluster(script, [], [])
    changes(script, servers=SERVERS[:number], fresh=SERVERS[:number])
    assert gluster.bricks == SERVERS[:1]


def test_data_that_nobody_has_any_more_is_not_made_anew(script):
    gluster = Gluster(script, SERVERS[1:], SERVERS[1:])
    with pytest.raises(script.RefusedError, match="No server has the volume's data any more"):
        changes(script, fresh=SERVERS[1:])
    assert gluster.words == []


def test_daemons_that_are_still_making_themselves_known_are_waited_for(script):
    gluster = Gluster(script, [], [])
    gluster.refusals = ["Another transaction is in progress for v"]
    changes(script, fresh=SERVERS)
    assert gluster.started


def test_what_stays_refused_ends_in_its_own_words(script):
    gluster = Gluster(script, [], [])
    gluster.refusals = ["peer probe: failed: Probe returned with unknown errno 107"]
    with pytest.raises(script.RefusedError, match="unknown errno 107"):
        changes(script, fresh=SERVERS)


def test_replicas_that_do_not_become_equal_end_the_wait(script):
    gluster = Gluster(script, SERVERS[1:], SERVERS)
    gluster.behind = 1000
    with pytest.raises(script.RefusedError, match="After 60 s the replicas are not equal"):
        changes(script)
