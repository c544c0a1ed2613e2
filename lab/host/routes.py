"""The networks that this machine's routes lead to."""

import json
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from lab.console.errors import LabError
from lab.host.command import CommandError, run

TABLES = frozenset({"local", "main", "default"})
"""What a kernel without policy routing has."""
WIDEST = 8
"""Length of the widest private network's prefix, 10.0.0.0/8."""


def networks() -> list[IPv4Network]:
    """Return the networks that this machine has routes to, and its gateways.

    What is wider than the widest private network is a default route, as VPNs write it
    in parts (0.0.0.0/1 and 128.0.0.0/1, or 8.0.0.0/5 and others); and a table that no
    rule names routes nothing. Raises LabError where the routes can't be read.
    """
    # A rule may have an action in place of a table, such as unreachable or goto.
    used = {str(rule["table"]) for rule in _ip("rule") if "table" in rule} or TABLES
    routes = _ip("route", "show", "table", "all")
    found = [
        _network(word)
        for route in routes
        if str(route.get("table", "main")) in used
        for word in _words(route)
    ]
    return [network for network in found if network and network.prefixlen >= WIDEST]


def _words(route: dict[str, Any]) -> Iterator[Any]:
    """Yield what a route leads to, and by which gateways."""
    yield route.get("dst")
    for hop in (route, *(route.get("nexthops") or [])):
        yield hop.get("gateway")


def _network(word: Any) -> IPv4Network | None:
    try:
        return IPv4Network(str(word), strict=False)
    except ValueError:  # "default", none, or of another family
        return None


def _ip(*words: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(
            run(["ip", "-j", "-4", *words], check=words[0] != "rule").stdout or "[]"
        )
    except (CommandError, ValueError) as error:
        raise LabError(
            f"This machine's routes can't be read: `ip -j -4 {' '.join(words)}` failed.",
            "Install the package iproute2 (5.0 or newer), then try again.",
            evidence=str(error),
        ) from None
    return found
