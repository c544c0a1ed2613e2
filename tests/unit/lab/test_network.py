"""The subnet of a lab, between what the engine and the machine use already."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml
from docker.errors import APIError

from lab.config.files import PLAYBOOKS
from lab.console.errors import LabError
from lab.providers.container import network
from tests.unit.lab.fake_engine import Network, client_of, refusal

WIDE = IPv4Network("192.168.0.0/16")


def refuse(line):
    pytest.fail(line)


def test_auto_takes_the_first_free_network():
    taken = [IPv4Network("10.87.0.0/24"), IPv4Network("172.17.0.0/16")]
    routed = [IPv4Network("10.87.1.128/25")]
    assert network.choose("auto", taken, routed, refuse) == IPv4Network("10.87.2.0/24")


def test_auto_goes_to_another_private_network_where_a_vpn_has_all_of_the_first():
    routed = [IPv4Network("10.0.0.0/8"), IPv4Network("172.29.0.0/24")]
    assert network.choose("auto", [], routed, refuse) == IPv4Network("172.29.1.0/24")


def test_auto_says_when_none_is_free():
    routed = [IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), WIDE]
    with pytest.raises(LabError, match=r"10\.87\.0\.0/16, .* is in use") as caught:
        network.choose("auto", [], routed, refuse)
    assert "lab_subnet" in caught.value.cure


def test_a_network_that_is_named_wins_over_a_wider_route_with_a_warning():
    said = []
    chosen = network.choose("192.168.7.0/24", [], [WIDE], said.append)
    assert chosen == IPv4Network("192.168.7.0/24")
    assert said == [
        f"  Warning: while the lab exists, 192.168.7.0/24 is the lab's, not behind {WIDE}"
    ]


@pytest.mark.parametrize("other", ["192.168.7.0/24", "192.168.7.128/25", "192.168.7.1/32"])
def test_a_route_as_narrow_as_the_named_network_takes_it(other):
    with pytest.raises(LabError, match=f"this machine uses {other} already"):
        network.choose("192.168.7.0/24", [], [WIDE, IPv4Network(other)], refuse)


def test_a_network_of_the_engines_takes_the_named_one_however_wide_it_is():
    with pytest.raises(LabError, match=f"this machine uses {WIDE} already"):
        network.choose("192.168.7.0/24", [WIDE], [], refuse)


def test_the_addresses_of_pods_and_services_are_taken():
    roles = {
        role: yaml.safe_load((Path(PLAYBOOKS) / "roles" / role / "defaults/main.yml").read_text())
        for role in ("k3s", "kubeadm")
    }
    assert {str(net) for net in network.IN_CLUSTER} == {
        defaults[f"{role}_{what}_subnet"]
        for role, defaults in roles.items()
        for what in ("pod", "service")
    }
    with pytest.raises(LabError, match=r"pods or services use 10\.96\.0\.0/16"):
        network.choose("10.96.7.0/24", network.IN_CLUSTER, [], refuse)


def test_the_labs_network_is_found_behind_a_pool_of_ipv6():
    configs = [{"Subnet": "fd00:1::/64"}, {"Subnet": "10.87.5.0/24", "Gateway": "10.87.5.1"}]
    client = client_of(networks=[Network(configs=configs)])
    assert network.ensure(client, "x", "auto", refuse) == IPv4Network("10.87.5.0/24")


def test_a_network_that_another_lab_takes_meanwhile_is_passed_over(monkeypatch):
    client = client_of()
    made = []

    def create(name, **options):
        made.append(options["ipam"]["Config"][0]["Subnet"])
        if len(made) == 1:
            raise refusal("Pool overlaps with other one on this address space", code=403)

    monkeypatch.setattr(client.networks, "create", create)
    monkeypatch.setattr(network.routes, "networks", list)
    assert network.ensure(client, "x", "auto", refuse) == IPv4Network("10.87.1.0/24")
    assert made == ["10.87.0.0/24", "10.87.1.0/24"]
    made.clear()
    with pytest.raises(APIError):
        network.ensure(client, "x", "10.87.0.0/24", refuse)


@pytest.mark.parametrize(
    "net",
    [
        Network(configs=[{"Subnet": "fd00:1::/64"}]),
        Network(configs=[{"Subnet": "10.87.5.0/24", "Gateway": "10.87.5.254"}]),
        Network(configs=[{"Subnet": "10.87.5.0/24"}], internal=False),
        Network(),
    ],
)
def test_a_network_that_does_not_close_the_lab_is_refused(net):
    with pytest.raises(LabError, match="not as this kit makes it") as caught:
        network.ensure(client_of(networks=[net]), "x", "auto", refuse)
    assert "docker network rm x" in caught.value.cure
