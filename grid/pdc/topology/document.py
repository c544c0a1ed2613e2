"""The topology as a document: the YAML that people write, and the JSON of the cache."""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from grid.documents import yaml_text
from grid.documents.channels import implied
from grid.pdc.topology.fields import TopologyFields
from grid.pdc.topology.model import InputStream, Pmu, Topology
from grid.transport.address import Address, Transport


def load(path: Path) -> Topology:
    """Read a YAML file; OSError where there is none, DocumentError with all that is wrong."""
    return loads(yaml_text.read(path))


def loads(text: str) -> Topology:
    """Read a YAML document; DocumentError with all that is wrong in it."""
    return from_document(yaml_text.parse(text))


def dumps(topology: Topology) -> str:
    """Return the YAML document of a topology; loads() reads it back."""
    return yaml.safe_dump(to_document(topology), sort_keys=False, default_flow_style=None)


def from_document(document: object) -> Topology:
    """Return the topology that a document says; DocumentError with all that is wrong."""
    reader = TopologyFields()
    top = reader.mapping(document, "the topology", {"node", "stream", "inputs", "mqtt"})
    stream = reader.stream(top.get("stream"))
    listed = reader.sequence(top.get("inputs"), "inputs")
    inputs = tuple(reader.input(entry, f"inputs[{index}]") for index, entry in enumerate(listed))
    topology = Topology(
        node=str(top.get("node", stream.name)),
        stream=stream,
        inputs=inputs,
        mqtt=reader.mqtt(top["mqtt"]) if top.get("mqtt") is not None else None,
    )
    if not reader.problems:
        reader.unique(topology)
    reader.check()
    return topology


def to_document(topology: Topology) -> dict[str, Any]:
    """Return plain dicts and lists, in the order in which people read them."""
    stream = topology.stream
    send_to = [str(address) for address in stream.destinations]
    document: dict[str, Any] = {
        "node": topology.node,
        "stream": {
            "name": stream.name,
            "idcode": stream.idcode,
            **_address_document(stream.address, own=True),
            **({"send_to": send_to} if send_to else {}),
            "rate": stream.rate,
            "nominal_hz": stream.nominal_hz,
            "format": "float" if stream.float_format else "int",
            "coordinates": "polar" if stream.polar else "rectangular",
            "wait": "absolute" if stream.absolute_wait else "relative",
            "lag_time_s": stream.lag_time_s,
            "lead_time_s": stream.lead_time_s,
            "preemptive": stream.preemptive,
            "downsampling": stream.downsampling.value,
            "bad_time": stream.bad_time.value,
        },
        "inputs": [_input_document(input_stream) for input_stream in topology.inputs],
    }
    if topology.mqtt is not None:
        fields = dataclasses.asdict(topology.mqtt)
        document["mqtt"] = fields | {"payload": topology.mqtt.payload.value}
    return document


def _input_document(input_stream: InputStream) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": input_stream.name,
        **_address_document(input_stream.address),
        "idcode": input_stream.idcode,
        "silence_s": input_stream.silence_s,
        "retry_s": input_stream.retry_s,
    }
    if not input_stream.concentrator:
        return document | _channels(input_stream.pmus[0])
    document["pmus"] = [
        {"name": pmu.name, "idcode": pmu.idcode} | _channels(pmu) for pmu in input_stream.pmus
    ]
    return document


def _address_document(address: Address, *, own: bool = False) -> dict[str, Any]:
    """Return the short form of an address where it has one."""
    if address.transport is not Transport.TCP or (own and address.host):
        return {"address": str(address)}
    return {"port": address.port} if own else {"host": address.host, "port": address.port}


def _channels(pmu: Pmu) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if pmu.output_idcode is not None:
        document["output_idcode"] = pmu.output_idcode
    document |= {
        "phasors": [
            phasor.label
            if implied(phasor.label) == phasor
            else {"label": phasor.label, "type": phasor.type, "phase": phasor.phase}
            for phasor in pmu.phasors
        ]
    }
    if pmu.analogs:
        document["analogs"] = list(pmu.analogs)
    if pmu.digitals:
        document["digitals"] = [list(word) for word in pmu.digitals]
    return document
