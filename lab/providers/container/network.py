"""The network of a lab: an internal bridge on the first /24 that this machine does not use."""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from lab.console.errors import LabError
from lab.host import routes
from lab.providers.container import labels

POOLS = tuple(map(IPv4Network, ("10.87.0.0/16", "172.29.0.0/16", "192.168.128.0/17")))
"""Where `lab_subnet: auto` looks, in this order."""
IN_CLUSTER = tuple(
    map(IPv4Network, ("10.42.0.0/16", "10.43.0.0/16", "10.244.0.0/16", "10.96.0.0/16"))
)
"""Addresses of pods and services, on k3s and on kubeadm: the roles' defaults."""


def find(client: docker.DockerClient, lab: str) -> Any | None:
    """Return the engine's network that is called as the lab, whosever it is."""
    # The engine's filter takes parts of names, too.
    return next((net for net in client.networks.list(names=[lab]) if net.name == lab), None)


def ensure(
    client: docker.DockerClient, lab: str, wanted: str, warn: Callable[[str], None]
) -> IPv4Network:
    """Return the lab's network, made where it is missing; `wanted` is `lab_subnet`.

    It is internal: before kube-proxy has written its rules, a Service address
    would leave by the default route, and something outside may answer.
    Raises LabError where no network is free, or the lab's is not as this kit makes it.
    """
    if net := find(client, lab):
        return _kept(net)
    taken = _taken(client)
    routed = routes.networks()
    while True:
        chosen = choose(wanted, taken, routed, warn)
        try:
            _create(client, lab, chosen)
        except APIError as error:
            # Another lab that is made at the same time was first.
            if wanted != "auto" or "overlaps" not in str(error.explanation):
                raise
            taken.append(chosen)
        else:
            return chosen


def check_free(client: docker.DockerClient, lab: str, wanted: str) -> None:
    """Raise LabError where `ensure` would, as far as that can be told beforehand."""
    if net := find(client, lab):
        _kept(net)
    else:
        choose(wanted, _taken(client), routes.networks(), lambda _warning: None)


def remove(client: docker.DockerClient, lab: str) -> Iterator[str]:
    """Remove the lab's network and yield its name.

    Raises LabError that names the containers that are still on it.
    """
    for net in client.networks.list(filters=labels.of_lab(lab)):
        try:
            net.reload()
            # The engine counts running containers only, and would let the others
            # lose their network.
            every = client.containers.list(
                all=True, filters={"network": str(net.id)}, ignore_removed=True
            )
            running = (net.attrs["Containers"] or {}).values()
            others = sorted({str(c.name) for c in every} | {str(c["Name"]) for c in running})
            if others:
                raise LabError(
                    f"The network {net.name} can't be removed: containers that are not the lab's "
                    f"are still on it: {', '.join(others)}.",
                    f"Take them off it (docker network disconnect -f {net.name} {others[0]}), "
                    "then run `lab down` again.",
                )
            net.remove()
        except NotFound:
            continue
        yield str(net.name)


def choose(
    wanted: str,
    taken: Iterable[IPv4Network],
    routed: Iterable[IPv4Network],
    warn: Callable[[str], None],
) -> IPv4Network:
    """Return the network of `lab_subnet`.

    It overlaps none of `taken`. A network that is named wins over a wider one of
    `routed`, as the kernel prefers the narrower route, and `warn` is told. Raises
    LabError where the wanted one overlaps another, or none is free.
    """
    used, ways = list(taken), list(routed)
    if wanted == "auto":
        every = (net for pool in POOLS for net in pool.subnets(new_prefix=24))
        if chosen := next((net for net in every if not _overlaps(net, [*used, *ways])), None):
            return chosen
        raise LabError(
            f"Every /24 of {', '.join(map(str, POOLS))} is in use on this machine.",
            "Set lab_subnet to a private /24 that this machine need not reach; it wins over a "
            "wider route, such as that of a VPN.",
        )
    network = IPv4Network(wanted)
    narrow = [way for way in ways if way.prefixlen >= network.prefixlen]
    if other := _overlaps(network, [*used, *narrow]):
        user = "the lab's pods or services use" if other in IN_CLUSTER else "this machine uses"
        raise LabError(
            f"The subnet {network} of lab_subnet is taken: {user} {other} already.",
            "Set lab_subnet to another private /24, or to auto.",
        )
    if wide := _overlaps(network, ways):
        warn(f"  Warning: while the lab exists, {network} is the lab's, not behind {wide}")
    return network


def _taken(client: docker.DockerClient) -> list[IPv4Network]:
    used = [config for net in client.networks.list() for config in _pools(net)]
    return [*used, *IN_CLUSTER]


def _create(client: docker.DockerClient, lab: str, subnet: IPv4Network) -> None:
    pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
    client.networks.create(
        lab,
        driver="bridge",
        internal=True,
        labels=labels.of_new(lab),
        ipam=IPAMConfig(pool_configs=[pool]),
    )


def _kept(net: Any) -> IPv4Network:
    """Return the subnet of a network that is the lab's already."""
    for config in (net.attrs.get("IPAM") or {}).get("Config") or []:
        if "." not in config.get("Subnet", ""):
            continue
        subnet = IPv4Network(config["Subnet"])
        # Nodes close themselves to the first address, as the machine's.
        if net.attrs.get("Internal") and config.get("Gateway", str(subnet[1])) == str(subnet[1]):
            return subnet
    raise LabError(
        f"The network {net.name} is not as this kit makes it: internal, with an IPv4 subnet "
        "whose first address is the gateway.",
        f"Remove it (docker network rm {net.name}) or the lab (`lab down`), then run `lab up`.",
    )


def _pools(net: Any) -> list[IPv4Network]:
    configs = (net.attrs.get("IPAM") or {}).get("Config") or []
    subnets = [config["Subnet"] for config in configs if "." in config.get("Subnet", "")]
    return [IPv4Network(subnet) for subnet in subnets]


def _overlaps(network: IPv4Network, used: Iterable[IPv4Network]) -> IPv4Network | None:
    return next((other for other in used if network.overlaps(other)), None)
