"""The /24 of a lab: the first that nothing on this machine uses."""

import json
from collections.abc import Iterable
from ipaddress import IPv4Network

from lab.console.errors import LabError
from lab.host.command import run

POOL = IPv4Network("10.87.0.0/16")
"""Where `lab_subnet: auto` looks."""


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
    """Return the networks that this machine has routes to, but for the default."""
    routes = json.loads(run(["ip", "-j", "-4", "route", "show", "table", "all"]).stdout or "[]")
    return [IPv4Network(route["dst"]) for route in routes if route["dst"] != "default"]


def _overlaps(network: IPv4Network, used: list[IPv4Network]) -> IPv4Network | None:
    return next((other for other in used if network.overlaps(other)), None)
