"""The output to an MQTT broker: a real one, Debian's mosquitto."""

import asyncio
import contextlib
import gc
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import stream_fixtures as streams
from pdc_bench import bench, now, pmus

from grid import c37118
from grid.pdc.alignment.output_format import OutputFormat
from grid.pdc.outputs import mqtt_output
from grid.pdc.outputs.json_payloads import JsonPayloads
from grid.pdc.outputs.mqtt_output import MqttOutput
from grid.pdc.topology.model import MqttBroker, MqttPayload, OutputStream
from tests.ports import free_port

SBIN = "/usr/sbin:/usr/local/sbin"


@pytest.fixture(autouse=True)
def _sockets_of_paho() -> Iterator[None]:
    """Let the sockets go that paho forgets when a TLS handshake fails."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for thread in threading.enumerate():
            # Called so by paho 2, and by Python for paho 1.6.
            if thread.name.startswith("paho") or "_thread_main" in thread.name:
                thread.join(40)
        gc.collect()


class Broker:
    """A mosquitto on a port of its own, which can be stopped and started."""

    def __init__(self, directory: Path, *lines: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self._path = directory / "mosquitto.conf"
        listener = f"listener {self.port} 127.0.0.1"
        self._path.write_text("\n".join((listener, "persistence false", *lines)) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path=SBIN)
        if program is None:
            pytest.fail("mosquitto is missing: `make unit` installs it, or apt-get install it")
        self._process = subprocess.Popen(
            [program, "-c", str(self._path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        streams.eventually(self._accepts)

    def _accepts(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex((streams.HOST, self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@contextlib.contextmanager
def running(directory: Path, *lines: str) -> Iterator[Broker]:
    broker = Broker(directory, *lines)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class Listener:
    """A client of the broker that keeps what is published."""

    def __init__(self, port: int, ca: Path | None = None) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.client = mqtt_output.client()
        self.client.on_connect = lambda client, *_: client.subscribe("#")
        self.client.on_message = lambda _client, _data, message: self.messages.append(
            (message.topic, message.payload)
        )
        ready = []
        self.client.on_subscribe = lambda *_: ready.append(True)
        if ca:
            self.client.tls_set_context(ssl.create_default_context(cafile=str(ca)))
            self.client.username_pw_set("listener", "secret")
        self.client.connect(streams.HOST, port)
        self.client.loop_start()
        streams.eventually(lambda: ready)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextlib.contextmanager
def listening(port: int, ca: Path | None = None) -> Iterator[Listener]:
    listener = Listener(port, ca)
    try:
        yield listener
    finally:
        listener.close()


def output_format(*idcodes: int) -> OutputFormat:
    stations = [streams.station(idcode) for idcode in idcodes]
    return OutputFormat(idcode=10, stations=stations, rate=50, stamp=streams.NOW)


def frames(made: OutputFormat, count: int) -> Sequence[bytes]:
    sender = streams.Sender(10, list(made.configuration.stations))
    return [sender.frame(now() + slot, 230.0) for slot in range(count)]


def settings(port: int, **fields: object) -> MqttBroker:
    return replace(MqttBroker(host=streams.HOST, port=port), **fields)


async def test_each_pmu_of_the_output_has_a_topic_with_physical_units(tmp_path):
    with running(tmp_path, "allow_anonymous true") as broker, listening(broker.port) as listener:
        one, two = pmus(2)
        stream = OutputStream(name="area", idcode=10, lag_time_s=0.1)
        async with bench(one, two, stream=stream, mqtt=settings(broker.port)) as made:
            await streams.soon(lambda: made.pdc.output.mqtt.connected)
            slot = await made.prime()
            made.send(slot, 230.0, None)
            published = made.pdc.aligner.counts.published + 1
            await streams.soon(lambda: len(listener.messages) == 2 * published)
    assert {topic for topic, _ in listener.messages} == {"grid/area/pmu-1", "grid/area/pmu-2"}
    present, absent = (json.loads(message) for _, message in listener.messages[-2:])
    assert present["time"] == pytest.approx(slot / streams.RATE, abs=1e-6)
    assert present["error"] == "good"
    assert present["phasors"]["VA"] == {"magnitude": 230.0, "angle": 0.0}
    assert present["frequency"] == pytest.approx(50.01)
    assert (absent["error"], absent["phasors"]["VA"], absent["frequency"]) == ("absent", None, None)


def test_raw_frames_are_those_of_the_output(tmp_path):
    made = output_format(1, 2)
    sent = frames(made, 20)
    with running(tmp_path, "allow_anonymous true") as broker, listening(broker.port) as listener:
        output = MqttOutput(settings(broker.port, payload=MqttPayload.RAW, topic="raw"), "area")
        output.start()
        streams.eventually(lambda: output.connected)
        for frame in sent:
            output.publish(made.configuration, frame)
        streams.eventually(lambda: len(listener.messages) == 20)
        output.close()
    assert listener.messages == [("raw/area", frame) for frame in sent]
    assert output.counts.dropped == 0


def test_a_broker_that_comes_back_gets_the_newest_frames_and_the_rest_is_counted(tmp_path):
    made = output_format(1)
    sent = frames(made, 50)
    broker = Broker(tmp_path, "allow_anonymous true")
    output = MqttOutput(settings(broker.port, payload=MqttPayload.RAW, queue_frames=10), "area")
    output.start()
    start = time.monotonic()
    for frame in sent:
        output.publish(made.configuration, frame)
    assert time.monotonic() - start < streams.stretched(0.1), "publishing waits for nobody"
    assert output.counts.dropped == 40
    broker.start()
    with listening(broker.port) as listener:
        streams.eventually(lambda: output.counts.frames == 10, limit_s=30)
        broker.stop()
        streams.eventually(lambda: not output.connected)
        broker.start()
        streams.eventually(lambda: output.connected, limit_s=30)
        assert output.counts.connections == 2
        streams.eventually(listener.client.is_connected, limit_s=30)
    output.close()
    broker.stop()


def certificate(directory: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1; return it and its key."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    # mosquitto gives up root before it reads them.
    key.chmod(0o644)
    for parent in (directory, *directory.parents):
        if str(parent).startswith("/tmp/"):  # noqa: S108 - pytest's own directory
            parent.chmod(0o755)
    return cert, key


def test_tls_and_a_login_from_the_environment(tmp_path, monkeypatch, caplog):
    cert, key = certificate(tmp_path)
    passwords = tmp_path / "passwords"
    passwords.write_text("pdc:secret\nlistener:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    passwords.chmod(0o644)
    lines = (
        f"cafile {cert}",
        f"certfile {cert}",
        f"keyfile {key}",
        "allow_anonymous false",
        f"password_file {passwords}",
    )
    made = output_format(1)
    fields = {"tls": True, "ca_file": str(cert), "payload": MqttPayload.RAW}
    with running(tmp_path, *lines) as broker:
        monkeypatch.setenv("MQTT_USER", "pdc")
        monkeypatch.setenv("MQTT_PASSWORD", "wrong")
        refused = MqttOutput(settings(broker.port, **fields), "area")
        refused.start()
        streams.eventually(lambda: "refused the connection" in caplog.text)
        assert not refused.connected
        refused.close()
        monkeypatch.setenv("MQTT_PASSWORD", "secret")
        output = MqttOutput(settings(broker.port, **fields), "area")
        output.start()
        with listening(broker.port, cert) as listener:
            streams.eventually(lambda: output.connected)
            (frame,) = frames(made, 1)
            output.publish(made.configuration, frame)
            streams.eventually(lambda: listener.messages == [("grid/area", frame)])
        output.close()
    assert "secret" not in caplog.text


def test_a_broker_with_another_certificate_gets_nothing(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (cert, key), (foreign, _) = certificate(tmp_path), certificate(other)
    lines = (f"certfile {cert}", f"keyfile {key}", "allow_anonymous true")
    made = output_format(1)
    with running(tmp_path, *lines) as broker:
        output = MqttOutput(settings(broker.port, tls=True, ca_file=str(foreign)), "area")
        output.start()
        context = ssl.create_default_context(cafile=str(cert))
        with (
            socket.create_connection((streams.HOST, broker.port)) as sock,
            context.wrap_socket(sock, server_hostname=streams.HOST),
        ):
            pass  # The broker itself is fine.
        output.publish(made.configuration, frames(made, 1)[0])
        time.sleep(0.5)
        assert not output.connected
        assert output.counts.frames == 0
        output.close()


@pytest.mark.parametrize("form", [c37118.Format(), c37118.Format(float_phasors=False, polar=True)])
def test_a_message_says_the_values_whatever_the_format(form):
    station = streams.station(1, form=form)
    sender = streams.Sender(10, [station])
    payloads = JsonPayloads(sender.configuration)
    ((name, message),) = payloads.messages(sender.frame(50 * 1000 + 7, 230.0))
    assert name == "pmu-1"
    values = json.loads(message)
    assert values["time"] == 1000.14
    assert values["phasors"]["VA"]["magnitude"] == pytest.approx(230, abs=0.05)


async def test_an_away_broker_costs_the_c37118_output_nothing():
    one, two = pmus(2)
    away = settings(free_port(), queue_frames=5)
    async with bench(one, two, mqtt=away) as made:
        base = await made.prime()
        for slot in range(base, base + 50):
            made.send(slot, 1.0, 2.0)
            await asyncio.sleep(0)
        await streams.soon(lambda: made.reader.slots()[-1] == base + 49)
        assert made.reader.slots()[-50:] == [*range(base, base + 50)]
        assert made.pdc.output.mqtt.counts.dropped >= 45
