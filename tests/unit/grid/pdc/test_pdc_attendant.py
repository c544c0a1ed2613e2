"""What openPDC has beside it: its settings file, reloads, the question whether it serves."""

import asyncio
import contextlib
import os
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator

import pytest
import stream_fixtures as streams

from grid.pdc.attendant import output_probe, settings_file
from grid.pdc.attendant.attendant_service import AttendantService
from grid.pdc.attendant.output_probe import OutputProbe
from grid.pdc.openpdc.database import Login
from grid.pdc.topology import document
from tests.ports import free_port

LOGIN = Login(host="mysql", port=3306, user="lower", password='a"<&', database="lower")
THEIRS = """<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <configSections>
    <section name="categorizedSettings" type="GSF.Configuration.CategorizedSettingsSection" />
  </configSections>
  <categorizedSettings>
    <systemSettings>
      <add name="NodeID" value="other" description="Unique Node ID" encrypted="true" />
      <add name="UniqueAdaptersIDs" value="True" encrypted="false" />
    </systemSettings>
  </categorizedSettings>
  <runtime><assemblyBinding /></runtime>
</configuration>
"""
TOPOLOGY = """
stream: {name: pdc, idcode: 10, port: PORT}
inputs:
  - {name: pmu-1, host: h, idcode: 1, phasors: [VA]}
"""


def parsed(path) -> ET.Element:
    return ET.fromstring(path.read_text())  # noqa: S314 - the test's own


def values(path) -> dict[str, str]:
    found = parsed(path).find("categorizedSettings")
    assert found is not None
    return {
        f"{section.tag}.{line.get('name')}": line.get("value", "")
        for section in found
        for line in section
    }


def test_settings_are_written_where_there_are_none(tmp_path):
    path = settings_file.write(tmp_path, LOGIN, "node-1")
    found = values(path)
    assert found["systemSettings.NodeID"] == "node-1"
    assert 'Pwd=a"<&; SslMode=None;' in found["systemSettings.ConnectionString"]
    assert found["remotingServer.ConfigurationString"] == "Port=8500; interface=127.0.0.1"
    root = parsed(path)
    assert root[0].tag == "configSections"
    assert path.stat().st_mode & 0o777 == 0o600


def test_settings_of_the_programs_own_file_stay(tmp_path):
    path = tmp_path / settings_file.NAME
    path.write_text(THEIRS)
    settings_file.write(tmp_path, LOGIN, "node-1")
    settings_file.write(tmp_path, LOGIN, "node-2")
    found = values(path)
    assert found["systemSettings.NodeID"] == "node-2"
    assert found["systemSettings.UniqueAdaptersIDs"] == "True"
    root = parsed(path)
    assert root.find("runtime/assemblyBinding") is not None
    nodes = root.findall("categorizedSettings/systemSettings/add[@name='NodeID']")
    assert [node.attrib for node in nodes] == [
        {
            "name": "NodeID",
            "value": "node-2",
            "description": "Unique Node ID",
            "encrypted": "false",
        }
    ]
    assert len(root.findall("configSections/section")) == 1


def test_a_file_or_folder_that_cannot_be_used_is_said(tmp_path):
    with pytest.raises(settings_file.SettingsFileError, match="Name the folder that openPDC runs"):
        settings_file.write(tmp_path / "missing", LOGIN, "n")
    (tmp_path / settings_file.NAME).write_text("<configuration>")
    with pytest.raises(settings_file.SettingsFileError, match="is no XML file"):
        settings_file.write(tmp_path, LOGIN, "n")


@contextlib.asynccontextmanager
async def probing(port: int) -> AsyncIterator[OutputProbe]:
    probe = OutputProbe(streams.HOST, port, 7)
    task = asyncio.ensure_future(probe.run())
    try:
        yield probe
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(output_probe, "PERIOD_S", 0.05)
    monkeypatch.setattr(output_probe, "PATIENCE_S", 0.3)


async def test_an_output_serves_while_it_answers(impatient):
    port = free_port()
    async with probing(port) as probe:
        assert probe.problem is not None
        await streams.soon(lambda: "Connect call failed" in (probe.problem or ""))
        sender = streams.Sender(7, [streams.station(7)])
        await sender.open(port)
        await streams.soon(lambda: probe.problem is None)
        # It listens on, and says nothing any more.
        sender.mute = True
        await streams.soon(lambda: "no configuration within" in (probe.problem or ""))
        assert probe.silent_s() > 0.2
        sender.mute = False
        await streams.soon(lambda: probe.problem is None)
        assert probe.silent_s() < streams.stretched(0.5)
        await sender.server.close()
        await streams.soon(lambda: probe.problem is not None)


async def test_an_output_that_sends_data_serves(impatient):
    """As openPDC's does, to each client that connects."""
    sender = streams.Sender(7, [streams.station(7)])
    asked = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for slot in range(60):
            writer.write(sender.frame(slot))
            await asyncio.sleep(0.02)
        asked.extend(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(serve, streams.HOST, 0)
    async with probing(server.sockets[0].getsockname()[1]) as probe:
        await streams.soon(lambda: probe.problem is None)
        await asyncio.sleep(0.8)
        assert probe.problem is None
        assert probe.silent_s() < streams.stretched(0.3)
        await streams.soon(lambda: probe.problem is not None)
    server.close()
    # Once at the beginning, and where the data were late.
    assert 18 <= len(asked) < 18 * 20


async def test_another_streams_configuration_is_no_answer(impatient):
    sender = streams.Sender(8, [streams.station(8)])
    async with probing(await sender.open()) as probe:
        await streams.soon(lambda: "no configuration within" in (probe.problem or ""))
    await sender.server.close()


class Tables:
    """A configuration source that the test changes."""

    name = "the tables"

    def __init__(self, topology) -> None:
        self.topology = topology

    def digest(self) -> str:
        return repr(self.topology)

    def load(self):
        return self.topology


async def test_openpdc_is_told_when_the_tables_change(tmp_path):
    text = TOPOLOGY.replace("PORT", str(free_port()))
    tables = Tables(document.loads(text))
    os.mkfifo(tmp_path / "console")
    console = os.open(tmp_path / "console", os.O_RDWR | os.O_NONBLOCK)
    service = AttendantService(
        tables.topology, tables, tmp_path, poll_s=0.02, metrics_port=free_port()
    )
    await service.start()
    try:
        await asyncio.sleep(0.2)
        with pytest.raises(BlockingIOError):
            os.read(console, 100)
        tables.topology = document.loads(text.replace("[VA]", "[VA, VB]"))
        await streams.soon(lambda: service.watcher.applied == 1)
        assert os.read(console, 100) == b"ReloadConfig\n"
        server = service.metrics_server
        assert server is not None
        assert server.answer("GET", "/healthz", "")[0] == 200
        status, _, body = server.answer("GET", "/readyz", "")
        assert (status, b"doesn't serve" in body) == (503, True)
        assert b"pdc_output_up 0.0" in server.answer("GET", "/metrics", "")[2]
    finally:
        await service.close()
        os.close(console)


async def test_an_openpdc_that_is_not_there_is_not_waited_for(tmp_path):
    """Its console has no reader. When it starts, it reads the tables by itself."""
    text = TOPOLOGY.replace("PORT", str(free_port()))
    tables = Tables(document.loads(text))
    os.mkfifo(tmp_path / "console")
    service = AttendantService(tables.topology, tables, tmp_path, poll_s=0.02, metrics_port=None)
    await service.start()
    try:
        await asyncio.sleep(0.1)
        tables.topology = document.loads(text.replace("[VA]", "[VA, VB]"))
        await streams.soon(lambda: service.watcher.failed == 1)
    finally:
        await service.close()
