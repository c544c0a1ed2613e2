"""Sending datagrams without ever waiting."""

import socket
from typing import Any

from grid.transport.sender_state import Send, SenderState
from service.socket_address import host_port


class DatagramSender:
    """A UDP socket that sends frames, and counts those that the kernel does not take."""

    def __init__(self, state: SenderState, sock: socket.socket) -> None:
        self.sock = sock
        self._state = state

    def to(self, *address: Any) -> Send:
        """Return the function that sends a frame to a socket address."""
        sendto, counts = self.sock.sendto, self._state.counts

        def send(frame: bytes) -> None:
            try:
                sendto(frame, address)
            except OSError as error:
                # A refusal by the network is about an earlier datagram: this one was not sent yet.
                if isinstance(error, ConnectionError) and self._again(frame, address):
                    return
                counts.unsent += 1
                self._state.warn(
                    str(address[0]),
                    f"send {error.errno}",
                    f"cannot send to {host_port(address)}: {error.strerror}",
                )

        return send

    def close(self) -> None:
        """Stop sending."""
        self.sock.close()

    def refused(self) -> None:
        """React to a refusal by the network, which is about an earlier datagram."""

    def _again(self, frame: bytes, address: tuple[Any, ...]) -> bool:
        self.refused()
        try:
            self.sock.sendto(frame, address)
        except OSError:
            return False
        return True
