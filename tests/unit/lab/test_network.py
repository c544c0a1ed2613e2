from ipaddress import IPv4Network

import pytest

from lab.console.errors import LabError
from lab.providers.container import network


def test_auto_takes_the_first_free_network():
    taken = [
        IPv4Network("10.87.0.0/24"),
        IPv4Network("10.87.1.128/25"),
        IPv4Network("172.17.0.0/16"),
    ]
    assert network.choose("auto", taken) == IPv4Network("10.87.2.0/24")


def test_auto_says_when_none_is_free():
    with pytest.raises(LabError, match=r"10\.87\.0\.0/16"):
        network.choose("auto", [IPv4Network("10.0.0.0/8")])


def test_a_taken_network_is_refused_with_what_takes_it():
    with pytest.raises(LabError, match=r"192\.168\.0\.0/16"):
        network.choose("192.168.7.0/24", [IPv4Network("192.168.0.0/16")])


def test_routes_as_wide_as_a_default_and_unused_tables_take_no_network(monkeypatch):
    answers = {
        "rule": [{"table": "local"}, {"table": "main"}],
        "route": [
            {"dst": "default"},
            {"dst": "0.0.0.0/1"},
            {"dst": "128.0.0.0/1"},
            {"dst": "192.168.7.0/24"},
            {"dst": "10.0.0.0/8", "table": "999"},
            {"dst": "127.0.0.0/8", "table": "local"},
        ],
    }
    monkeypatch.setattr(network, "_ip", lambda what, *_: answers[what])
    assert network.routed() == [IPv4Network("192.168.7.0/24"), IPv4Network("127.0.0.0/8")]


def test_routes_of_this_machine_are_networks():
    assert all(isinstance(net, IPv4Network) for net in network.routed())
