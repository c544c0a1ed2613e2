"""The topology as a document: the YAML that people write, and the JSON of the cache."""

import dataclasses
import enum
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from grid.address import Address, AddressError, Transport
from grid.pdc.fields import Fields
from grid.pdc.topology import (
    DIGITALS_A_WORD,
    BadTime,
    Downsampling,
    Input,
    Mqtt,
    Payload,
    Phasor,
    Pmu,
    Stream,
    Topology,
)

_PHASES = "ABC+-0"
_FORMATS = {"float": True, "int": False}
_COORDINATES = {"polar": True, "rectangular": False}
_MQTT_TEXTS = {"host": "", "ca_file": "", "topic": "grid"}
_WAITS = {"relative": False, "absolute": True}


class TopologyError(ValueError):
    """A topology document is wrong; `problems` names every place."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def loads(text: str) -> Topology:
    """Read a YAML document; TopologyError with all that is wrong in it."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TopologyError([f"not YAML: {error}".replace("\n", " ")]) from error
    return from_document(document)


def dumps(topology: Topology) -> str:
    """Return the YAML document of a topology; loads() reads it back."""
    return yaml.safe_dump(to_document(topology), sort_keys=False, default_flow_style=None)


def from_document(document: object) -> Topology:
    """Return the topology that a document says; TopologyError with all that is wrong."""
    reader = _Reader()
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
    if reader.problems:
        raise TopologyError(reader.problems)
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
        "inputs": [_input_document(source) for source in topology.inputs],
    }
    if topology.mqtt is not None:
        fields = dataclasses.asdict(topology.mqtt)
        document["mqtt"] = fields | {"payload": topology.mqtt.payload.value}
    return document


def _input_document(source: Input) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": source.name,
        **_address_document(source.address),
        "idcode": source.idcode,
        "silence_s": source.silence_s,
        "retry_s": source.retry_s,
    }
    if not source.concentrator:
        return document | _channels(source.pmus[0])
    document["pmus"] = [
        {"name": pmu.name, "idcode": pmu.idcode} | _channels(pmu) for pmu in source.pmus
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
            if _implied(phasor.label) == phasor
            else {"label": phasor.label, "type": phasor.type, "phase": phasor.phase}
            for phasor in pmu.phasors
        ]
    }
    if pmu.analogs:
        document["analogs"] = list(pmu.analogs)
    if pmu.digitals:
        document["digitals"] = [list(word) for word in pmu.digitals]
    return document


def _implied(label: str) -> Phasor | None:
    """Return what a label like VA, IC or V+ says by itself."""
    if len(label) == 2 and label[0] in "VI" and label[1] in _PHASES:
        return Phasor(label=label, type=label[0], phase=label[1])
    return None


class _Reader(Fields):
    """Reads the parts of a topology."""

    def stream(self, value: object) -> Stream:
        where = "stream"
        keys = {
            "name",
            "idcode",
            "port",
            "address",
            "send_to",
            "rate",
            "nominal_hz",
            "format",
            "coordinates",
            "wait",
            "lag_time_s",
            "lead_time_s",
            "preemptive",
            "downsampling",
            "bad_time",
        }
        entry = self.mapping(value, where, keys)
        return Stream(
            name=self.name(entry, where),
            idcode=self.integer(entry, "idcode", where, 1, 65534),
            address=self.own_address(entry, where),
            destinations=self.destinations(entry, where),
            rate=self.integer(entry, "rate", where, 1, 1000, 50),
            nominal_hz=self.one_of(entry, "nominal_hz", where, {50: 50, 60: 60}, 50),
            float_format=self.one_of(entry, "format", where, _FORMATS, "float"),
            polar=self.one_of(entry, "coordinates", where, _COORDINATES, "rectangular"),
            lag_time_s=self.seconds(entry, "lag_time_s", where, 0.2),
            lead_time_s=self.seconds(entry, "lead_time_s", where, 1.0),
            absolute_wait=self.one_of(entry, "wait", where, _WAITS, "relative"),
            preemptive=self.flag(entry, "preemptive", where, True),
            downsampling=self.one_of(
                entry, "downsampling", where, _values(Downsampling), Downsampling.CLOSEST
            ),
            bad_time=self.one_of(entry, "bad_time", where, _values(BadTime), BadTime.USE),
        )

    def input(self, value: object, where: str) -> Input:
        channels = {"phasors", "analogs", "digitals", "output_idcode"}
        keys = {"name", "address", "host", "port", "idcode", "silence_s", "retry_s", "pmus"}
        keys |= channels
        entry = self.mapping(value, where, keys)
        concentrator = "pmus" in entry
        name = self.name(entry, where)
        idcode = self.integer(entry, "idcode", where, 1, 65534)
        if concentrator:
            if channels & entry.keys():
                self.problems.append(f"{where}: an input with pmus has its channels there")
            listed = self.sequence(entry["pmus"], f"{where}.pmus")
            pmus = tuple(
                self.pmu(pmu, f"{where}.pmus[{index}]") for index, pmu in enumerate(listed)
            )
        else:
            pmus = (self.channels(entry, where, name, idcode),)
        return Input(
            name=name,
            address=self.peer_address(entry, where),
            idcode=idcode,
            pmus=pmus,
            concentrator=concentrator,
            silence_s=self.seconds(entry, "silence_s", where, 1.0),
            retry_s=self.seconds(entry, "retry_s", where, 1.0),
        )

    def mqtt(self, value: object) -> Mqtt:
        where = "mqtt"
        keys = {field.name for field in dataclasses.fields(Mqtt)}
        entry = self.mapping(value, where, keys)
        tls = self.flag(entry, "tls", where, False)
        texts = {key: entry.get(key, default) for key, default in _MQTT_TEXTS.items()}
        for key, text in texts.items():
            if not isinstance(text, str) or re.search(r"[;{}+#\s]", text):
                self.problems.append(f"{where}.{key}: {text!r} is no {key}")
        if not texts["host"]:
            self.problems.append(f"{where}.host: the broker's name is missing")
        return Mqtt(
            host=texts["host"],
            port=self.integer(entry, "port", where, 1, 65535, 8883 if tls else 1883),
            tls=tls,
            ca_file=texts["ca_file"],
            topic=texts["topic"],
            payload=self.one_of(entry, "payload", where, _values(Payload), Payload.JSON),
            queue_frames=self.integer(entry, "queue_frames", where, 1, 100_000, 500),
        )

    def own_address(self, entry: Mapping[str, Any], where: str) -> Address:
        """Return where commands are taken: a port for TCP, or any address."""
        if "address" not in entry:
            return Address(port=self.integer(entry, "port", where, 1, 65535, 4712))
        if "port" in entry:
            self.problems.append(f"{where}: write either port or address")
        address = self.address(entry["address"], f"{where}.address")
        if address.transport is Transport.SPONTANEOUS:
            self.problems.append(f"{where}.address: spontaneous data belong into send_to")
        return address

    def destinations(self, entry: Mapping[str, Any], where: str) -> tuple[Address, ...]:
        """Return where data are sent to without being asked for."""
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
        """Return where an input is had from: host and port for TCP, or any address."""
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

    def address(self, value: object, where: str) -> Address:
        try:
            return Address.parse(str(value))
        except AddressError as error:
            self.problems.append(f"{where}: {error}")
            return Address()

    def pmu(self, value: object, where: str) -> Pmu:
        keys = {"name", "idcode", "output_idcode", "phasors", "analogs", "digitals"}
        entry = self.mapping(value, where, keys)
        name = self.name(entry, where)
        return self.channels(entry, where, name, self.integer(entry, "idcode", where, 1, 65534))

    def channels(self, entry: Mapping[str, Any], where: str, name: str, idcode: int) -> Pmu:
        phasors = self.sequence(entry.get("phasors"), f"{where}.phasors")
        analogs = self.sequence(entry.get("analogs", []), f"{where}.analogs")
        words = self.sequence(entry.get("digitals", []), f"{where}.digitals")
        other = "output_idcode" in entry
        return Pmu(
            name=name,
            idcode=idcode,
            phasors=tuple(
                self.phasor(value, f"{where}.phasors[{index}]")
                for index, value in enumerate(phasors)
            ),
            analogs=tuple(self.label(value, f"{where}.analogs") for value in analogs),
            digitals=tuple(self.word(value, f"{where}.digitals") for value in words),
            output_idcode=self.integer(entry, "output_idcode", where, 1, 65534) if other else None,
        )

    def phasor(self, value: object, where: str) -> Phasor:
        if isinstance(value, str):
            implied = _implied(value)
            if implied is None:
                self.problems.append(
                    f"{where}: {value!r} does not say type and phase as VA, IC or V+ do; "
                    "write {label: ..., type: V or I, phase: A, B, C, +, - or 0}"
                )
            return implied or Phasor(label=value, type="V", phase="+")
        entry = self.mapping(value, where, {"label", "type", "phase"})
        return Phasor(
            label=self.label(entry.get("label"), where),
            type=self.one_of(entry, "type", where, {"V": "V", "I": "I"}, ""),
            phase=self.one_of(entry, "phase", where, {phase: phase for phase in _PHASES}, ""),
        )

    def word(self, value: object, where: str) -> tuple[str, ...]:
        names = tuple(self.label(name, where) for name in self.sequence(value, where))
        if len(names) > DIGITALS_A_WORD:
            self.problems.append(f"{where}: a digital word has 16 inputs, not {len(names)}")
        return names

    def unique(self, topology: Topology) -> None:
        """Refuse names and ids that would be told apart nowhere."""
        if not topology.inputs:
            self.problems.append("inputs: there is none")
        names = [source.name.upper() for source in topology.inputs if source.concentrator]
        names += [pmu.name.upper() for pmu in topology.pmus]
        for value in _doubles(names):
            self.problems.append(f"inputs: name {value} stands there twice")
        for value in _doubles([pmu.output_id for pmu in topology.pmus]):
            self.problems.append(
                f"inputs: PMU idcode {value} stands there twice: give one an output_idcode"
            )


def _doubles(values: list[Any]) -> list[Any]:
    return sorted(value for value, count in Counter(values).items() if count > 1)


def _values(kind: type[enum.StrEnum]) -> dict[str, enum.StrEnum]:
    return {member.value: member for member in kind}
