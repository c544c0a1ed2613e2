"""The judges: each finds what it is there for, and nothing in a lab that is as it must be."""

import re
from dataclasses import replace
from typing import Any

import pytest

from chaos import invariants
from chaos.commands import Finished
from chaos.observed import Cluster, Remains
from chaos.sequence import Hosts

HOSTS = Hosts(servers=("server-1", "server-2", "server-3"), workers=("worker-1",))
UID = "5d0a7a0e-3e5c-4d0f-9b62-1f0f6f3f1d11"
HEALTHY: dict[str, Any] = {
    "healthy": True,
    "problem": "",
    "nodes": [{"name": name, "ready": True} for name in HOSTS.all],
    "pods": [{"name": "mysql-0", "ready": True}],
    "frames": [{"name": "pdc-higher", "frames_per_s": 50.0, "problem": ""}],
}
GOOD = Cluster(
    status=HEALTHY,
    uids=dict.fromkeys(HOSTS.servers, UID),
    members=dict.fromkeys(HOSTS.servers, HOSTS.servers),
    nodes=HOSTS.all,
    containers=HOSTS.all,
    faults=dict.fromkeys(HOSTS.all, ()),
)
REFUSED = "\nerror: There is no lab 'chaos' on this machine. Make it with `lab up`.\n"
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py"\ndocker.errors.APIError: 409\n'


def finished(code: int, output: str = "", verb: str = "up", **more: Any) -> Finished:
    return Finished(words=(verb,), code=code, output=output, seconds=1.0, **more)


def test_a_good_lab_has_no_problem() -> None:
    assert invariants.after_up(HOSTS, GOOD, UID) == []
    assert invariants.after_up(HOSTS, GOOD, "") == []


def test_k3s_members_have_digits_after_their_names() -> None:
    named = tuple(f"{server}-{n}f0e1d2c" for n, server in enumerate(HOSTS.servers))
    assert invariants.after_up(HOSTS, replace(GOOD, members={"server-1": named}), UID) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": {**HEALTHY, "healthy": False, "problem": "No API server"}}, "No API server"),
        (
            {"status": {**HEALTHY, "healthy": False, "pods": [{"name": "pmu-1", "ready": False}]}},
            "not ready: pmu-1",
        ),
        (
            {
                "status": {
                    **HEALTHY,
                    "frames": [{"name": "pdc-lower", "frames_per_s": 12.0, "problem": "gap"}],
                }
            },
            "pdc-lower sends 12.0 frames/s of 50: gap",
        ),
        ({"uids": {**GOOD.uids, "server-2": "other"}}, "not all servers serve the same cluster"),
        ({"uids": dict.fromkeys(HOSTS.servers, "other")}, f"another cluster stands in .* {UID}"),
        ({"members": {"server-1": ("server-1", "server-2")}}, "server-1 has the members"),
        ({"members": {"server-1": (*HOSTS.servers, "server-3")}}, "server-1 has the members"),
        (
            {"members": {"server-1": ("server-1", "server-2", "server-3 (learner)")}},
            "server-3 .learner",
        ),
        ({"members": {"server-1": ("no answer: refused",)}}, "no answer: refused"),
        ({"nodes": (*HOSTS.all, "worker-2")}, "the cluster has the nodes .*worker-2"),
        ({"containers": HOSTS.servers}, "the lab has the containers of"),
        ({"faults": {"worker-1": ("iptables", "timer")}}, "a fault is on worker-1: iptables"),
    ],
)
def test_what_is_wrong_with_a_lab_is_found(change: dict[str, Any], said: str) -> None:
    (problem,) = invariants.after_up(HOSTS, replace(GOOD, **change), UID)
    assert re.search(said, problem), problem


def test_everything_that_is_left_is_named() -> None:
    left = Remains(things=("volume chaos-server-1-etcd", "process 77 ansible-playbook"))
    assert invariants.after_down(Remains(things=())) == []
    assert invariants.after_down(left) == [
        "`lab down` left volume chaos-server-1-etcd",
        "`lab down` left process 77 ansible-playbook",
    ]


@pytest.mark.parametrize(
    "done",
    [
        finished(0),
        finished(1, REFUSED),
        finished(1, "Lab chaos: no cluster\nnot healthy\n", verb="status"),
        finished(130, "Stopped.", ended_by="SIGINT"),
        finished(0, ended_by="SIGTERM"),
        finished(-15, ended_by="SIGTERM"),
        finished(-9, ended_by="SIGKILL"),
    ],
    ids=lambda done: f"{done.words[0]} {done.code}",
)
def test_an_answer_may_be(done: Finished) -> None:
    assert invariants.answer(done) == []


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (finished(1, TRACEBACK), "a traceback: docker.errors.APIError: 409"),
        (finished(1, TRACEBACK, verb="status"), "a traceback"),
        (finished(1, TRACEBACK + REFUSED), "a traceback"),
        (finished(1, "it went wrong"), "no line says `error: ...`"),
        (finished(2, "usage"), "neither done nor refused"),
        (finished(-11), "neither done nor refused"),
        (finished(-9, late=True), "did not end within its limit"),
        (finished(-2, ended_by="SIGINT"), "no way to end"),
        (finished(130, TRACEBACK, ended_by="SIGINT"), "a traceback"),
        (finished(1, "", ended_by="SIGTERM"), "no line says"),
    ],
)
def test_an_answer_may_not_be(done: Finished, said: str) -> None:
    assert said in invariants.answer(done)[0]
