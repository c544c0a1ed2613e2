"""A PMU that does everything wrong, a good one beside it, and a PDC that has both."""

import asyncio
import textwrap
import urllib.request
from pathlib import Path

import stream_fixtures as streams
from prometheus_client.parser import text_string_to_metric_families

from grid.c37118 import DataCodec, DataError
from grid.transport.address import Address
from grid.transport.receiver import Receiver
from tests.ports import free_port

SCENARIO = """
    pmus:
      - {{name: good, idcode: 1, addresses: ["tcp://127.0.0.1:{0}"]}}
      - {{name: bad, idcode: 66, addresses: ["udp://127.0.0.1:{1}"]}}
    events:
      - {{kind: status, error: pmu-error, start: {{process_s: 3}}, duration_s: 0.5, pmus: [bad]}}
      - {{kind: wrong-crc, every: 5, start: {{process_s: 4}}, duration_s: 1, pmus: [bad]}}
      - {{kind: clock-offset, offset_s: 900, start: {{process_s: 5.5}}, duration_s: 0.5,
         pmus: [bad]}}
      - {{kind: clock-offset, offset_s: -900, start: {{process_s: 6.5}}, duration_s: 0.5,
         pmus: [bad]}}
      - {{kind: configuration-change, phasors: [VA, VB, VC], start: {{process_s: 7.5}},
         duration_s: 1, pmus: [bad]}}
      - {{kind: silence, start: {{process_s: 9}}, duration_s: 1.5, pmus: [bad]}}
    """
TOPOLOGY = """
    node: pdc
    stream: {{name: pdc, idcode: 10, port: {2}}}
    inputs:
      - {{name: good, host: 127.0.0.1, port: {0}, idcode: 1, phasors: [VA, VB, VC, IA, IB, IC]}}
      - {{name: bad, address: "udp://127.0.0.1:{1}", idcode: 66,
         phasors: [VA, VB, VC, IA, IB, IC]}}
    """


def test_a_bad_pmu_costs_the_good_one_nothing(tmp_path: Path):
    ports = [free_port() for _ in range(4)]
    for name, text in (("scenario.yml", SCENARIO), ("topology.yml", TOPOLOGY)):
        (tmp_path / name).write_text(textwrap.dedent(text).format(*ports))
    pdc = ["serve", "--topology", str(tmp_path / "topology.yml"), "--metrics-port", str(ports[3])]
    with (
        streams.Process("grid.pdc", *pdc) as concentrator,
        streams.Process("grid.pmu", "serve", "--scenario", str(tmp_path / "scenario.yml")) as pmus,
    ):
        frames = asyncio.run(_frames(ports[2]))
        numbers = _numbers(ports[3])
        assert concentrator.terminate()[0] == pmus.terminate()[0] == 0
    slots = [slot for slot, _, _ in frames]
    assert slots == [*range(slots[0], slots[0] + len(slots))]
    good, bad = ([errors[place] for errors in frames] for place in (1, 2))
    assert sum(error is not DataError.GOOD for error in good) < 5
    assert DataError.PMU_ERROR in bad
    assert DataError.ABSENT in bad
    # After everything it is well again.
    assert bad[-1] is DataError.GOOD
    assert numbers["pdc_input_crc_errors_total"] > 0
    assert numbers["pdc_input_clock_jumps_total"] > 0
    assert numbers["pdc_input_configuration_changes_total"] > 0


async def _frames(port: int) -> list[tuple[int, DataError, DataError]]:
    """Return slot and data errors of both PMUs, from the first to the last event."""
    seen: list[tuple[int, DataError, DataError]] = []

    def take(codec: DataCodec, frame: bytes) -> None:
        data = codec.decode(frame)
        slot = round((data.stamp.soc + data.stamp.fraction(1_000_000)) * streams.RATE)
        good, bad = (pmu.stat.data_error for pmu in data.pmus)
        seen.append((slot, good, bad))

    receiver = Receiver(
        Address.parse(f"tcp://127.0.0.1:{port}"),
        10,
        name="watch",
        silence_s=30,
        on_configuration=lambda _: None,
        on_frame=take,
        on_lost=lambda: None,
    )
    task = asyncio.ensure_future(receiver.run())
    await streams.soon(lambda: seen and seen[-1][0] - seen[0][0] >= 13 * streams.RATE, 40)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return seen


def _numbers(port: int) -> dict[str, float]:
    """Return what the PDC counts of its bad input."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("input") == "bad"
    }
