"""The network of a lab: an internal bridge on the first /24 that this machine does not use."""

import json
from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Any

import docker
from docker.types import IPAMConfig, IPAMPool

from lab.console.errors import LabError
from lab.host.command import run
from lab.providers.container import labels

POOL = IPv4Network("10.87.0.0/16")
"""Where `lab_subnet: auto` looks."""


def ensure(client: docker.DockerClient, lab: str, wanted: str) -> IPv4Network:
    """Return the lab's network, made where it is missing; `wanted` is `lab_subnet`.

    It is internal: before kube-proxy has written its rules, a Service address
    would leave by the default route, and something outside may answer.
    Raises LabError where a network of that name is not of this kit.
    """
    for net in client.networks.list(names=[lab]):
        if net.name != lab:
            continue
        if net.attrs["Labels"].get(labels.LAB) != lab:
            raise LabError(
                f"A Docker network that is not of this kit is already called {lab}.",
                "Give the lab another name with --name.",
            )
        return IPv4Network(net.attrs["IPAM"]["Config"][0]["Subnet"])
    pools = [config for net in client.networks.list() for config in _pools(net)]
    chosen = choose(wanted, [*pools, *routed()])
    client.networks.create(
        lab,
        driver="bridge",
        internal=True,
        labels={labels.LAB: lab},
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(chosen), gateway=str(chosen[1]))]),
    )
    return chosen


def remove(client: docker.DockerClient, lab: str) -> list[str]:
    """Remove the lab's network and return its name.

    Raises LabError that names the containers that are still on it.
    """
    removed = []
    for net in client.networks.list(filters=labels.of_lab(lab)):
        net.reload()
        if others := sorted(c["Name"] for c in (net.attrs["Containers"] or {}).values()):
            raise LabError(
                f"The network {net.name} can't be removed: containers that are not the lab's "
                f"are still on it: {', '.join(others)}.",
                f"Take them off it (docker network disconnect -f {net.name} {others[0]}), then "
                "run `lab down` again.",
            )
        net.remove()
        removed.append(str(net.name))
    return removed


def choose(wanted: str, taken: Iterable[IPv4Network]) -> IPv4Network:
    """Return the network of `lab_subnet`.

    Raises LabError where the wanted one overlaps one of `taken`, or none is free.
    """
    used = list(taken)
    if wanted == "auto":
        free = (net for net in POOL.subnets(new_prefix=24) if not _overlaps(net, used))
        if chosen := next(free, None):
            return chosen
        raise LabError(
            f"Every /24 of {POOL} is in use on this machine.",
            "Set lab_subnet to a private /24 that is free.",
        )
    network = IPv4Network(wanted)
    if other := _overlaps(network, used):
        raise LabError(
            f"The subnet {network} of lab_subnet is taken: this machine already uses {other}.",
            "Set lab_subnet to another private /24, or to auto.",
        )
    return network


def routed() -> list[IPv4Network]:
    """Return the networks that this machine has routes to, but for the default.

    Half of all addresses is a default route too, as VPNs write it (0.0.0.0/1 and
    128.0.0.0/1); and a table that no rule names routes nothing.
    """
    used = {str(rule["table"]) for rule in _ip("rule")}
    routes = (route for route in _ip("route", "show", "table", "all") if route["dst"] != "default")
    networks = [
        IPv4Network(route["dst"]) for route in routes if str(route.get("table", "main")) in used
    ]
    return [network for network in networks if network.prefixlen > 1]


def _ip(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(["ip", "-j", "-4", *words]).stdout or "[]")
    return found


def _pools(net: Any) -> list[IPv4Network]:
    configs = (net.attrs.get("IPAM") or {}).get("Config") or []
    subnets = [config["Subnet"] for config in configs if "." in config.get("Subnet", "")]
    return [IPv4Network(subnet) for subnet in subnets]


def _overlaps(network: IPv4Network, used: list[IPv4Network]) -> IPv4Network | None:
    return next((other for other in used if network.overlaps(other)), None)
