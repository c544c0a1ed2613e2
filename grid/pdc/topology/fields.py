"""The fields of a topology document: streams, PMUs, channels, the MQTT broker."""

import dataclasses
import enum
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from grid.pdc.topology.address_fields import AddressFields
from grid.pdc.topology.model import (
    BadTime,
    Downsampling,
    InputStream,
    MqttBroker,
    MqttPayload,
    OutputStream,
    Pmu,
    Topology,
)

_FORMATS = {"float": True, "int": False}
_COORDINATES = {"polar": True, "rectangular": False}
_MQTT_TEXTS = {"host": "", "ca_file": "", "topic": "grid"}
_WAITS = {"relative": False, "absolute": True}


class TopologyFields(AddressFields):
    """Reads the parts of a topology."""

    def stream(self, value: object) -> OutputStream:
        """Return what the PDC sends."""
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
        return OutputStream(
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

    def input(self, value: object, where: str) -> InputStream:
        """Return one stream that it receives."""
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
        return InputStream(
            name=name,
            address=self.peer_address(entry, where),
            idcode=idcode,
            pmus=pmus,
            concentrator=concentrator,
            silence_s=self.seconds(entry, "silence_s", where, 1.0),
            retry_s=self.seconds(entry, "retry_s", where, 1.0),
        )

    def mqtt(self, value: object) -> MqttBroker:
        """Return the broker that gets the output too."""
        where = "mqtt"
        keys = {field.name for field in dataclasses.fields(MqttBroker)}
        entry = self.mapping(value, where, keys)
        tls = self.flag(entry, "tls", where, False)
        texts = {key: entry.get(key, default) for key, default in _MQTT_TEXTS.items()}
        for key, text in texts.items():
            if not isinstance(text, str) or re.search(r"[;{}+#\s]", text):
                self.problems.append(f"{where}.{key}: {text!r} is no {key}")
        if not texts["host"]:
            self.problems.append(f"{where}.host: the broker's name is missing")
        return MqttBroker(
            host=texts["host"],
            port=self.integer(entry, "port", where, 1, 65535, 8883 if tls else 1883),
            tls=tls,
            ca_file=texts["ca_file"],
            topic=texts["topic"],
            payload=self.one_of(entry, "payload", where, _values(MqttPayload), MqttPayload.JSON),
            queue_frames=self.integer(entry, "queue_frames", where, 1, 100_000, 500),
        )

    def pmu(self, value: object, where: str) -> Pmu:
        """Return one PMU of a concentrator's stream."""
        keys = {"name", "idcode", "output_idcode", "phasors", "analogs", "digitals"}
        entry = self.mapping(value, where, keys)
        name = self.name(entry, where)
        return self.channels(entry, where, name, self.integer(entry, "idcode", where, 1, 65534))

    def channels(self, entry: Mapping[str, Any], where: str, name: str, idcode: int) -> Pmu:
        """Return the PMU whose channels an entry lists."""
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

    def unique(self, topology: Topology) -> None:
        """Refuse names and ids that would be told apart nowhere."""
        if not topology.inputs:
            self.problems.append("inputs: there is none")
        names = [
            input_stream.name.upper()
            for input_stream in topology.inputs
            if input_stream.concentrator
        ]
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
