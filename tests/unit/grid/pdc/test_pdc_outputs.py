"""Inputs and outputs of the PDC over every transport."""

import asyncio

import pytest
import stream_fixtures as streams
from pdc_bench import PHASORS, now

from grid import c37118
from grid.pdc.concentrator import Concentrator
from grid.pdc.topology import document
from grid.pdc.topology.model import InputStream, OutputStream, Pmu, Topology
from grid.transport.address import Address
from grid.transport.receiver import Receiver
from tests.ports import free_port

FORMS = [
    "tcp://127.0.0.1:{port}",
    "tcp://[::1]:{port}",
    "udp://127.0.0.1:{port}",
    "tcp+udp://127.0.0.1:{port}?data={data}",
    "udp-spontaneous://127.0.0.1:{data}",
]


def address(form: str) -> Address:
    if "[::1]" in form:
        streams.needs("::1")
    return Address.parse(form.format(port=free_port(), data=free_port()))


def topology(input_address: Address, stream: OutputStream) -> Topology:
    pmu = Pmu(name="pmu-1", idcode=1, phasors=PHASORS)
    source = InputStream(
        name="pmu-1",
        address=input_address,
        idcode=1,
        pmus=(pmu,),
        concentrator=False,
        silence_s=5.0,
    )
    return Topology(node="n", stream=stream, inputs=(source,))


@pytest.mark.parametrize("form", FORMS)
async def test_an_input_comes_by_every_transport(form):
    where = address(form)
    sender = streams.Sender(1, [streams.station(1)])
    await sender.server.attach(where)
    await sender.server.accept()
    await _through(topology(where, OutputStream(name="pdc", idcode=10)), sender, None)


@pytest.mark.parametrize("form", FORMS)
async def test_the_output_goes_by_every_transport(form):
    where = address(form)
    sender = streams.Sender(1, [streams.station(1)])
    port = await sender.open()
    spontaneous = form.startswith("udp-sp")
    own = Address(host=streams.HOST, port=free_port()) if spontaneous else where
    stream = OutputStream(
        name="pdc", idcode=10, address=own, destinations=(where,) if spontaneous else ()
    )
    made = topology(Address(host=streams.HOST, port=port), stream)
    assert document.loads(document.dumps(made)) == made
    await _through(made, sender, where)


async def _through(made: Topology, sender: streams.Sender, output: Address | None) -> None:
    """Let frames pass through the PDC, and a receiver of its output see them."""
    values: list[float] = []

    def frame(codec: c37118.DataCodec, raw: bytes) -> None:
        values.append(codec.decode(raw).pmus[0].phasors[0][0])

    pdc = Concentrator(made)
    await pdc.start(port=free_port() if output is None else None)
    receiver = Receiver(
        output or Address(host=streams.HOST, port=pdc.output.server.port),
        10,
        name="client",
        on_configuration=lambda _: None,
        on_frame=frame,
        on_lost=lambda: None,
    )
    task = asyncio.ensure_future(receiver.run())
    end = asyncio.get_running_loop().time() + streams.stretched(15)
    while len(values) < 20 and asyncio.get_running_loop().time() < end:
        # Spontaneous senders tell their configuration once a minute, and at first.
        sender.server.announce()
        pdc.output.server.announce()
        sender.send(now(), 4.0)
        await asyncio.sleep(0.02)
    task.cancel()
    await pdc.close()
    await sender.server.close()
    assert len(values) >= 20
    assert set(values) == {4.0}
