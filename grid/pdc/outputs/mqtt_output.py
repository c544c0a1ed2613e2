"""Publishes the output's frames at an MQTT broker; needs paho-mqtt 1.6 or 2.

Everything here but publish() runs in threads of its own. publish() puts a frame into a
queue of limited length, so a broker that is slow or away costs the C37.118 output nothing:
the oldest frames are dropped, and counted.
"""

import logging
import os
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from grid.c37118 import Configuration
from grid.pdc.outputs.json_payloads import JsonPayloads
from grid.pdc.topology.model import MqttBroker, MqttPayload
from service import threads

_LOG = logging.getLogger(__name__)

_KEEPALIVE_S = 10
_FIRST_PAUSE_S, _LAST_PAUSE_S = 1, 30
_MOST_IN_FLIGHT = 2000
"""Messages that paho may hold; while it holds more, frames wait in the queue here."""
_IDLE_S = 0.02


class MqttError(Exception):
    """The MQTT output cannot be made; the message says why and what to do."""


@dataclass(kw_only=True, slots=True)
class MqttCounts:
    """Counters of the MQTT output."""

    frames: int = 0
    """Frames handed to the broker's connection."""
    messages: int = 0
    """Messages made of them."""
    dropped: int = 0
    """Frames left out because too many waited."""
    connections: int = 0
    """Connections that the broker accepted."""


class MqttOutput:
    """Publishes the output's frames, connects again with growing pauses, and never blocks."""

    def __init__(self, settings: MqttBroker, stream: str) -> None:
        """Take user and password from MQTT_USER and MQTT_PASSWORD; MqttError without paho."""
        self.counts = MqttCounts()
        """What happened so far."""
        self.connected = False
        """Whether the broker accepted the connection."""
        self._settings = settings
        self._topic = f"{settings.topic}/{stream}"
        self._where = f"MQTT broker {settings.host}:{settings.port}"
        self._queue: deque[tuple[Configuration, bytes]] = deque()
        self._stopping = threading.Event()
        self._in_flight = 0
        self._lock = threading.Lock()
        self._refusal = ""
        self._client = client()
        user = os.environ.get("MQTT_USER")
        if user:
            self._client.username_pw_set(user, os.environ.get("MQTT_PASSWORD"))
        if settings.tls:
            try:
                context = ssl.create_default_context(cafile=settings.ca_file or None)
                self._client.tls_set_context(context)
            except (OSError, ValueError) as error:
                raise MqttError(
                    f"{self._where}: the certificates {settings.ca_file or 'of the system'} "
                    f"cannot be used: {error}. Check mqtt.ca_file"
                ) from error
        self._client.reconnect_delay_set(_FIRST_PAUSE_S, _LAST_PAUSE_S)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish

    def start(self) -> None:
        """Begin to connect."""
        settings = self._settings
        self._client.connect_async(settings.host, settings.port, keepalive=_KEEPALIVE_S)
        self._client.loop_start()
        threads.start(self._work, "MQTT output")

    def publish(self, configuration: Configuration, frame: bytes) -> None:
        """Take a data frame of the output; drop the oldest one if too many wait."""
        queue = self._queue
        queue.append((configuration, frame))
        if len(queue) > self._settings.queue_frames:
            queue.popleft()
            self.counts.dropped += 1

    def close(self) -> None:
        """Disconnect; what still waits is not sent."""
        self._stopping.set()
        self._client.disconnect()
        # The network thread may be in the middle of a connection attempt: a daemon, it is
        # left to itself and not waited for.

    def _work(self) -> None:
        payloads: JsonPayloads | None = None
        known: Configuration | None = None
        while not self._stopping.is_set():
            if not self.connected or not self._queue or self._in_flight > _MOST_IN_FLIGHT:
                self._stopping.wait(_IDLE_S)
                continue
            try:
                configuration, frame = self._queue.popleft()
            except IndexError:  # publish() dropped it meanwhile.
                continue
            if self._settings.payload is MqttPayload.RAW:
                self._send(self._topic, frame)
            else:
                if payloads is None or configuration is not known:
                    payloads, known = JsonPayloads(configuration), configuration
                for name, message in payloads.messages(frame):
                    self._send(f"{self._topic}/{_level(name)}", message)
            self.counts.frames += 1

    def _send(self, topic: str, message: bytes) -> None:
        with self._lock:
            self._in_flight += 1
        self._client.publish(topic, message)
        self.counts.messages += 1

    def _on_publish(self, *_: Any) -> None:
        with self._lock:
            self._in_flight -= 1

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, *_: Any) -> None:
        # paho 1.6 gives a number here, paho 2 an object with a name.
        if code != 0:
            if str(code) != self._refusal:
                self._refusal = str(code)
                _LOG.warning(
                    "%s refused the connection (%s): check MQTT_USER and MQTT_PASSWORD; trying on",
                    self._where,
                    code,
                )
            return
        with self._lock:
            self._in_flight = 0
        self._refusal = ""
        self.counts.connections += 1
        self.connected = True
        _LOG.info("%s: connected, publishing %s/#", self._where, self._topic)

    def _on_disconnect(self, *_: Any) -> None:
        if self.connected and not self._stopping.is_set():
            _LOG.warning(
                "%s: lost the connection; trying again, at least every %d s",
                self._where,
                _LAST_PAUSE_S,
            )
        self.connected = False


def client() -> Any:
    """Return a client of either version of paho; MqttError where there is none."""
    try:
        from paho.mqtt import client as paho  # noqa: PLC0415 - only where MQTT is wanted
    except ImportError as error:
        raise MqttError(
            "the topology has an mqtt output, and paho-mqtt is missing: "
            "install python3-paho-mqtt or pip install paho-mqtt"
        ) from error
    versions = getattr(paho, "CallbackAPIVersion", None)
    return paho.Client() if versions is None else paho.Client(versions.VERSION2)


def _level(name: str) -> str:
    """Return a PMU's name as one level of a topic."""
    return name.replace("/", "-").replace("+", "plus").replace("#", "-").strip() or "-"
