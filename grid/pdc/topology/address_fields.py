"""The address fields of a topology document: of its inputs, its output and its destinations."""

import re
from collections.abc import Mapping
from typing import Any

from grid.documents.stream_fields import StreamFields
from grid.transport.address import Address, Transport


class AddressFields(StreamFields):
    """Reads addresses: a short form for TCP, and URLs for everything."""

    def own_address(self, entry: Mapping[str, Any], where: str) -> Address:
        """Return the address that takes commands: a port for TCP, or any address."""
        if "address" not in entry:
            return Address(port=self.integer(entry, "port", where, 1, 65535, 4712))
        if "port" in entry:
            self.problems.append(f"{where}: write either port or address")
        address = self.address(entry["address"], f"{where}.address")
        if address.transport is Transport.SPONTANEOUS:
            self.problems.append(f"{where}.address: spontaneous data belong into send_to")
        return address

    def destinations(self, entry: Mapping[str, Any], where: str) -> tuple[Address, ...]:
        """Return the destinations of spontaneous data."""
        listed = self.sequence(entry.get("send_to", []), f"{where}.send_to")
        found = tuple(self.address(value, f"{where}.send_to") for value in listed)
        for address in found:
            if address.transport is not Transport.SPONTANEOUS or not address.host:
                self.problems.append(
                    f"{where}.send_to: {address} is no udp-spontaneous://HOST-OR-GROUP:PORT"
                )
        groups = {(one.interface, one.ttl) for one in found if one.multicast}
        if len(groups) > 1:
            self.problems.append(f"{where}.send_to: the groups of a stream share interface and ttl")
        return found

    def peer_address(self, entry: Mapping[str, Any], where: str) -> Address:
        """Return the address of an input stream: host and port for TCP, or any address."""
        if "address" in entry:
            if {"host", "port"} & entry.keys():
                self.problems.append(f"{where}: write either host and port or address")
            address = self.address(entry["address"], f"{where}.address")
            if not address.host and address.transport is not Transport.SPONTANEOUS:
                self.problems.append(f"{where}.address: {address} has no host")
            return address
        host = str(entry.get("host", ""))
        port = self.integer(entry, "port", where, 1, 65535, 4712)
        if not re.fullmatch(r"[A-Za-z0-9._%:-]+", host):
            self.problems.append(f"{where}: host is missing or no host name")
        return Address(host=host, port=port)
