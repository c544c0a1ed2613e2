"""Which server `make bench-alarms` cuts off next."""

from types import SimpleNamespace

import pytest

from benchmarks import alarms

SERVERS = ("server-1", "server-2", "server-3")


def lab(holders, monkeypatch):
    """Return a lab whose servers have roles as `holders` says: role to names."""
    monkeypatch.setattr(alarms, "_holders", lambda _lab: holders)
    servers = [SimpleNamespace(name=name) for name in SERVERS]
    by_name = {server.name: server for server in servers}
    return SimpleNamespace(cluster=SimpleNamespace(servers=servers), node=by_name.__getitem__)


def test_the_server_with_the_most_roles_that_are_lacking_is_next(monkeypatch):
    holders = {"a": ["server-1"], "b": ["server-2"], "c": ["server-2"], "d": ["server-1"]}
    server, roles = alarms._next(lab(holders, monkeypatch), {"a": 1, "b": 2, "c": 1, "d": 0})
    assert (server.name, roles) == ("server-2", ["b", "c"])


@pytest.mark.parametrize("lacking", ["a", "b", "c"])
def test_a_role_that_alone_is_lacking_is_cut_off(monkeypatch, lacking):
    holders = {"a": ["server-1"], "b": ["server-2", "server-3"], "c": ["server-3"]}
    wanted = {role: int(role == lacking) for role in holders}
    _, roles = alarms._next(lab(holders, monkeypatch), wanted)
    assert lacking in roles
