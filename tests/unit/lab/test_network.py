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


def test_routes_of_this_machine_are_networks():
    assert all(isinstance(net, IPv4Network) for net in network.routed())
