"""What `ip` says of this machine's routes, in all its spellings."""

import json
from ipaddress import IPv4Network

import pytest

from lab.console.errors import LabError
from lab.host import routes
from lab.host.command import CommandError, Result


@pytest.fixture
def answer(monkeypatch):
    def answer(rules, found):
        def run(argv, **_):
            text = rules if argv[3] == "rule" else found
            text = text if isinstance(text, str) else json.dumps(text)
            return Result(argv=tuple(argv), returncode=0, stdout=text, stderr="")

        monkeypatch.setattr(routes, "run", run)
        return [str(network) for network in routes.networks()]

    return answer


def test_routes_as_wide_as_a_default_and_unused_tables_take_no_network(answer):
    rules = [{"table": "local"}, {"table": "main"}]
    found = [
        {"dst": "default"},
        {"dst": "0.0.0.0/1"},
        {"dst": "128.0.0.0/1"},
        {"dst": "8.0.0.0/5"},
        {"dst": "192.168.7.0/24"},
        {"dst": "10.0.0.0/8", "table": "999"},
        {"dst": "127.0.0.0/8", "table": "local"},
    ]
    assert answer(rules, found) == ["192.168.7.0/24", "127.0.0.0/8"]


def test_rules_without_a_table_are_passed_over(answer):
    rules = [
        {"priority": 5, "src": "all", "action": "unreachable"},
        {"priority": 6, "l3mdev": None},
        {"priority": 7, "table": "51820", "fwmark": "0x1"},
        {},
    ]
    found = [{"dst": "10.1.0.0/16", "table": 51820}, {"dst": "10.2.0.0/16"}]
    assert answer(rules, found) == ["10.1.0.0/16"]


@pytest.mark.parametrize("nothing", ["", "[ ]", "[{}]"])
def test_a_kernel_without_rules_has_its_three_tables(answer, nothing):
    found = [{"dst": "10.1.0.0/16"}, {"dst": "10.3.0.0/16", "table": "51820"}]
    assert answer(nothing, found) == ["10.1.0.0/16"]


def test_gateways_and_refusing_routes_are_taken_too(answer):
    found = [
        {"dst": "default", "gateway": "192.168.7.1"},
        {"dst": "default", "nexthops": [{"gateway": "10.4.0.1"}, {"via": {"host": "fe80::1"}}]},
        {"type": "blackhole", "dst": "10.5.0.0/16"},
        {"type": "unreachable", "dst": "10.6.0.7"},
        {"nhid": 3},
    ]
    assert answer([], found) == ["192.168.7.1/32", "10.4.0.1/32", "10.5.0.0/16", "10.6.0.7/32"]


def test_an_ip_that_prints_no_json_is_said(answer):
    with pytest.raises(LabError, match="ip -j -4 route show table all"):
        answer("[]", "default via 192.168.7.1 dev eth0\n")


def test_a_machine_without_ip_is_said(monkeypatch):
    def run(argv, **_):
        raise CommandError(Result(argv=tuple(argv), returncode=127, stdout="", stderr="ip"))

    monkeypatch.setattr(routes, "run", run)
    with pytest.raises(LabError) as caught:
        routes.networks()
    assert "iproute2" in caught.value.cure


def test_routes_of_this_machine_are_networks():
    found = routes.networks()
    assert found
    assert all(isinstance(net, IPv4Network) for net in found)
