"""What /metrics, /healthz and /readyz of a PDC say."""

import asyncio
import urllib.error
import urllib.request
from pathlib import Path

import stream_fixtures as streams
from pdc_bench import now, pmus

from grid.pdc.configuration_source import FileSource
from grid.pdc.service import PdcService, ServiceSettings
from tests.ports import free_port

TOPOLOGY = """
stream: {{name: pdc, idcode: 10, port: {out}, lag_time_s: 0.1}}
inputs:
  - {{name: pmu-1, host: 127.0.0.1, port: {one}, idcode: 1, silence_s: 1, phasors: [VA, IA]}}
  - {{name: pmu-2, host: 127.0.0.1, port: {two}, idcode: 2, silence_s: 1, phasors: [VA, IA]}}
"""


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def scrape(port: int) -> dict[str, float]:
    status, text = await asyncio.to_thread(get, port, "/metrics")
    assert status == 200
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_the_statistics_of_openpdc_are_served(tmp_path: Path):  # noqa: PLR0915
    one, two = pmus(2)
    path = tmp_path / "grid.yml"
    ports = {"one": await one.open(), "two": await two.open(), "out": free_port()}
    path.write_text(TOPOLOGY.format(**ports))
    source = FileSource(path)
    two.mute = True
    settings = ServiceSettings(listen=streams.HOST, metrics_port=0)
    service = PdcService(source.load(), settings, source)
    await service.start()
    assert service.metrics_server is not None
    port = service.metrics_server.port
    status, text = await asyncio.to_thread(get, port, "/readyz")
    assert status == 503
    assert text.startswith("the output is not open: no configuration yet of input ")
    assert "pmu-2" in text
    assert await asyncio.to_thread(get, port, "/healthz") == (200, "ok\n")
    two.mute = False

    await streams.soon(lambda: service.concentrator.output.open and two.receivers)
    assert await asyncio.to_thread(get, port, "/readyz") == (200, "ok\n")
    base = now()
    for slot in range(base, base + 30):
        one.send(slot)
        if slot % 10:
            two.send(slot)
        await asyncio.sleep(0.01)
    damaged = bytearray(one.frame(base + 30))
    damaged[-1] ^= 1
    one.server.publish(bytes(damaged))
    aligner = service.concentrator.aligner
    await streams.soon(lambda: aligner.counts.published == 30)
    values = await scrape(port)
    await service.close()
    for sender in (one, two):
        await sender.server.close()

    assert values['pdc_input_frames_total{input="pmu-1"}'] == 30
    assert values['pdc_input_frames_total{input="pmu-2"}'] == 27
    missing = values['pdc_input_missing_frames_total{input="pmu-2"}']
    assert missing in (2, 3), "the first slot may be the missing one"
    assert values['pdc_input_expected_frames_total{input="pmu-2"}'] == 27 + missing
    assert values['pdc_input_crc_errors_total{input="pmu-1"}'] == 1
    assert values['pdc_input_connected{input="pmu-2"}'] == 1
    assert values['pdc_input_latency_seconds_count{input="pmu-1"}'] == 30
    assert values["pdc_output_frames_total"] == 30
    assert values["pdc_output_expected_blocks_total"] == 60
    absent = values['pdc_output_absent_blocks_total{pmu="pmu-2"}']
    assert absent >= 3
    others = values.get('pdc_output_absent_blocks_total{pmu="pmu-1"}', 0)
    assert values["pdc_output_received_blocks_total"] == 60 - absent - others
    assert values["pdc_output_incomplete_frames_total"] >= 3
    low, high = (values[f'pdc_output_latency_seconds{{quantile="{q}"}}'] for q in ("0.5", "1"))
    assert 0 < low <= high
    assert values["pdc_output_minimum_latency_seconds"] <= high
    assert values["pdc_output_connected_clients"] == 0
    assert values["pdc_configuration_source_up"] == 1
    assert values["process_resident_memory_bytes"] > 1e6


async def test_frame_rates_are_those_of_the_last_window(tmp_path: Path):
    (one,) = pmus(1)
    path = tmp_path / "grid.yml"
    port = await one.open()
    path.write_text(TOPOLOGY.format(one=port, two=port, out=free_port()))
    source = FileSource(path)
    service = PdcService(source.load(), ServiceSettings(listen=streams.HOST), source)
    mapper = service.concentrator
    service.concentrator.aligner.counts.published = 100
    service.rates._sample(2.0)
    assert service.rates.of(mapper) == 50
    service.rates._sample(2.0)
    assert service.rates.of(mapper) == 0
    await one.server.close()
