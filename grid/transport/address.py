"""The address of a C37.118 stream, as a URL."""

import enum
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

TCP_PORT = 4712
UDP_PORT = 4713

FORMS = (
    "tcp://HOST:PORT, udp://HOST:PORT, tcp+udp://HOST:PORT?data=PORT, "
    "udp-spontaneous://HOST-OR-GROUP:PORT[?interface=NAME&ttl=N]"
)

_URL = re.compile(
    r"(?:(?P<scheme>[a-z+-]+)://)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<host>[^][:/?#\s]*))"
    r"(?::(?P<port>\d{1,5}))?/?"
    r"(?:\?(?P<query>\S*))?"
)


class AddressError(ValueError):
    """A text is no address of a stream; the message says why."""


class Transport(enum.Enum):
    """How commands and data travel; the value is the URL's scheme."""

    TCP = "tcp"
    """Commands and data over TCP."""
    UDP = "udp"
    """Commands and data over UDP."""
    TCP_UDP = "tcp+udp"
    """Commands over TCP, data over UDP."""
    SPONTANEOUS = "udp-spontaneous"
    """No commands: data, and a CFG-2 each minute, over UDP to one address or group."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """One stream's address, as the sender listens on it or a receiver connects to it."""

    transport: Transport = Transport.TCP
    """How commands and data travel."""
    host: str = ""
    """Name or IP address; empty: all addresses of a sender. With SPONTANEOUS the destination
    of the data: the receiver's own address, or a multicast group."""
    port: int = TCP_PORT
    """TCP port of the commands, or UDP port of commands and data; 0: any free port of a sender."""
    data_port: int = 0
    """With TCP_UDP the UDP port of the receiver, to which the data are sent."""
    interface: str = ""
    """With a multicast group the network interface to use; empty: the system's choice."""
    ttl: int = 1
    """With a multicast group how many routers the data may cross, plus one: 1..255."""

    @property
    def multicast(self) -> bool:
        """Whether the host is a multicast group."""
        try:
            return ipaddress.ip_address(self.host.partition("%")[0]).is_multicast
        except ValueError:
            return False

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return what a URL, or plain HOST:PORT for TCP, says; AddressError otherwise."""
        match = _URL.fullmatch(text.strip())
        if match is None:
            raise _error(text, "it has another form")
        try:
            transport = Transport(match["scheme"] or "tcp")
        except ValueError:
            raise _error(text, f"the scheme {match['scheme']!r} is unknown") from None
        udp = transport in (Transport.UDP, Transport.SPONTANEOUS)
        port = int(match["port"] or (UDP_PORT if udp else TCP_PORT))
        options = _options(text, match["query"] or "", transport)
        address = cls(
            transport=transport,
            host=match["six"] or match["host"],
            port=port,
            data_port=int(options.get("data", UDP_PORT if transport is Transport.TCP_UDP else 0)),
            interface=options.get("interface", ""),
            ttl=int(options.get("ttl", 1)),
        )
        if max(port, address.data_port) > 0xFFFF:
            raise _error(text, "a port is above 65535")
        if transport is Transport.TCP_UDP and not address.data_port:
            raise _error(text, "data go to no port 0")
        if not 1 <= address.ttl <= 255:
            raise _error(text, f"ttl {address.ttl} is not within 1..255")
        if {"interface", "ttl"} & options.keys() and not address.multicast:
            raise _error(text, "interface and ttl are for multicast groups")
        if address.multicast and transport is not Transport.SPONTANEOUS:
            raise _error(text, "a multicast group takes udp-spontaneous://")
        return address

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = {}
        if self.data_port:
            options["data"] = str(self.data_port)
        if self.interface:
            options["interface"] = self.interface
        if self.ttl != 1:
            options["ttl"] = str(self.ttl)
        query = "&".join(f"{key}={value}" for key, value in options.items())
        return f"{self.transport.value}://{host}:{self.port}" + (f"?{query}" if query else "")


def _options(text: str, query: str, transport: Transport) -> dict[str, str]:
    """Return the part behind the question mark, with keys and numbers checked."""
    known = {Transport.TCP_UDP: {"data"}, Transport.SPONTANEOUS: {"interface", "ttl"}}
    options = dict(parse_qsl(query, keep_blank_values=True))
    for key, value in options.items():
        if key not in known.get(transport, set()):
            raise _error(text, f"{transport.value} has no option {key!r}")
        if key != "interface" and not re.fullmatch(r"[0-9]{1,5}", value):
            raise _error(text, f"{key}={value} is no number")
    return options


def _error(text: str, why: str) -> AddressError:
    return AddressError(f"{text!r} is no address of a stream, {why}: write {FORMS}")
