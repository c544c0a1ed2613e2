"""Addresses as openPDC writes them: the connection strings of devices and output streams.

    transportProtocol=tcp; server=HOST:4712                       commands and data over TCP
    transportProtocol=udp; server=HOST:4713                       commands and data over UDP
    transportProtocol=udp; localport=4713;
        commandChannel={transportProtocol=tcp; server=HOST:4712}  commands over TCP, data over UDP
    transportProtocol=udp; localport=4713; interface=ADDRESS      spontaneous data
    transportProtocol=udp; localport=4713; server=GROUP; interface=NAME    the same by multicast

An output stream's CommandChannel is `port=4712` (with `protocol=udp` for UDP, and
`dataport=4713` for data to a UDP port of each TCP client), its DataChannel
`port=-1; clients=HOST:PORT, GROUP:PORT; interface=NAME; ttl=N`.
"""

from collections.abc import Sequence

from grid.pdc.topology.model import MqttBroker, MqttPayload
from grid.transport.address import Address, AddressError, Transport


def device_string(address: Address) -> str:
    """Return an input's connection string, as openPDC's Device has it."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    if address.transport is Transport.TCP:
        text = f"transportProtocol=tcp; server={host}:{address.port}"
    elif address.transport is Transport.UDP:
        text = f"transportProtocol=udp; server={host}:{address.port}"
    elif address.transport is Transport.TCP_UDP:
        text = (
            f"transportProtocol=udp; localport={address.data_port}; "
            f"commandChannel={{transportProtocol=tcp; server={host}:{address.port}}}"
        )
    else:
        text = f"transportProtocol=udp; localport={address.port}"
        if address.multicast:
            text += f"; server={host}"
        interface = address.interface or (address.host if not address.multicast else "")
        text += f"; interface={interface}" if interface else ""
    return f"{text}; phasorProtocol=IeeeC37_118V2"


def device_address(device: str, text: str) -> Address:
    """Return the address in a device's connection string; ValueError where it has none."""
    found = settings(text)
    transport = found.get("transportprotocol", "tcp").lower()
    local = found.get("localport", "")
    try:
        if transport == "tcp":
            return _server(found, Transport.TCP)
        if transport != "udp":
            raise AddressError(f"transportProtocol={transport} is neither tcp nor udp")
        if "commandchannel" in found:
            channel = settings(found["commandchannel"])
            if not local.isdigit():
                raise AddressError("localport=PORT is missing beside commandChannel")
            address = _server(channel, Transport.TCP)
            return Address(
                transport=Transport.TCP_UDP,
                host=address.host,
                port=address.port,
                data_port=int(local),
            )
        if not local.isdigit() or local == "0":
            return _server(found, Transport.UDP)
        server = f"udp-spontaneous://{found.get('server', '')}"
        group = Address.parse(server).host
        interface = found.get("interface", "")
        address = Address(
            transport=Transport.SPONTANEOUS, host=group, port=int(local), interface=interface
        )
        if address.multicast:
            return address
        # Only one sender's data are wanted, or one address of this machine listens.
        return Address(transport=Transport.SPONTANEOUS, host=interface, port=int(local))
    except AddressError as error:
        raise ValueError(f"device {device}: its connection string {text!r}: {error}") from error


def command_channel(address: Address) -> str:
    """Return the CommandChannel of an output stream."""
    parts = ["protocol=udp"] if address.transport is Transport.UDP else []
    parts.append(f"port={address.port}")
    if address.host:
        parts.append(f"interface={address.host}")
    if address.data_port:
        parts.append(f"dataport={address.data_port}")
    return "; ".join(parts)


def data_channel(destinations: Sequence[Address]) -> str | None:
    """Return the DataChannel of an output stream; None where it sends nothing unasked.

    Destinations of one stream share interface and TTL.
    """
    if not destinations:
        return None
    clients = ", ".join(
        f"[{one.host}]:{one.port}" if ":" in one.host else f"{one.host}:{one.port}"
        for one in destinations
    )
    text = f"port=-1; clients={clients}"
    interface = next((one.interface for one in destinations if one.interface), "")
    ttl = max(one.ttl for one in destinations)
    text += f"; interface={interface}" if interface else ""
    return text + (f"; ttl={ttl}" if ttl != 1 else "")


def stream_address(stream: str, text: str) -> Address:
    """Return the address in an output stream's CommandChannel; ValueError without one."""
    found = settings(text)
    port, data = found.get("port", ""), found.get("dataport", "0")
    if not port.isdigit() or not data.isdigit():
        raise ValueError(f"output stream {stream}: its command channel has no port=NUMBER")
    udp = found.get("protocol", "tcp").lower() == "udp"
    transport = Transport.UDP if udp else Transport.TCP
    return Address(
        transport=Transport.TCP_UDP if int(data) else transport,
        host=found.get("interface", ""),
        port=int(port),
        data_port=int(data),
    )


def destinations(stream: str, text: str) -> tuple[Address, ...]:
    """Return the addresses in an output stream's DataChannel; ValueError if one is wrong."""
    found = settings(text)
    interface, ttl = found.get("interface", ""), int(found.get("ttl", "1"))
    try:
        addresses = [
            Address.parse(f"udp-spontaneous://{client.strip()}")
            for client in found.get("clients", "").split(",")
            if client.strip()
        ]
    except AddressError as error:
        raise ValueError(f"output stream {stream}: its data channel {text!r}: {error}") from error
    return tuple(
        Address(
            transport=Transport.SPONTANEOUS,
            host=address.host,
            port=address.port,
            interface=interface if address.multicast else "",
            ttl=ttl if address.multicast else 1,
        )
        for address in addresses
    )


def broker_string(mqtt: MqttBroker) -> str:
    """Return the connection string of an MQTT output."""
    host = f"[{mqtt.host}]" if ":" in mqtt.host else mqtt.host
    text = (
        f"server={host}:{mqtt.port}; tls={int(mqtt.tls)}; topic={mqtt.topic}; "
        f"payload={mqtt.payload.value}; queueFrames={mqtt.queue_frames}"
    )
    return text + (f"; caFile={mqtt.ca_file}" if mqtt.ca_file else "")


def broker(text: str) -> MqttBroker:
    """Return the MQTT output of a connection string; ValueError if it is none."""
    found = settings(text)
    address = _server(found, Transport.TCP)
    return MqttBroker(
        host=address.host,
        port=address.port,
        tls=found.get("tls", "0") == "1",
        ca_file=found.get("cafile", ""),
        topic=found.get("topic", "grid"),
        payload=MqttPayload(found.get("payload", MqttPayload.JSON)),
        queue_frames=int(found.get("queueframes", "500")),
    )


def settings(text: str) -> dict[str, str]:
    """Return the settings of `key=value; key={...; ...}`, keys in lower case."""
    found: dict[str, str] = {}
    depth, start = 0, 0
    for at, letter in enumerate(f"{text};"):
        depth += (letter == "{") - (letter == "}")
        if letter == ";" and depth <= 0:
            key, equals, value = text[start:at].partition("=")
            if equals:
                found[key.strip().lower()] = value.strip().removeprefix("{").removesuffix("}")
            start = at + 1
    return found


def _server(found: dict[str, str], transport: Transport) -> Address:
    # A list of servers means fail-over in openPDC; the first one is the one to begin with.
    server = found.get("server", "").split(",")[0].strip()
    host, _, port = server.rpartition(":")
    if not host or not port.isdigit():
        raise AddressError("server=HOST:PORT is missing")
    address = Address.parse(
        f"tcp://{server}" if host[0] == "[" or ":" not in host else f"tcp://[{host}]:{port}"
    )
    return Address(transport=transport, host=address.host, port=address.port)
