"""Inserting one node's rows."""

import uuid
from collections.abc import Iterator

from grid.pdc import schema
from grid.pdc.sql import NAME_SIZE, NAMESPACE, Cursor, connection_string
from grid.pdc.topology import Input, Pmu, Topology

_PROTOCOL_2011 = 2
_SIGNALS = {row[2]: row[0] for row in schema.SIGNAL_TYPES}


class Writer:
    """Inserts the rows of a node that has none."""

    def __init__(self, cursor: Cursor, node: str, topology: Topology) -> None:
        self._cursor = cursor
        self._node = node
        self._topology = topology

    def write(self) -> None:
        """Insert everything: stream, devices, phasors, measurements and their way out."""
        stream = self._stream()
        order = 0
        for source in self._topology.inputs:
            parent = None
            if source.concentrator:
                parent = self._device(source, source.name, source.idcode, None, order)
            for pmu in source.pmus:
                order += 1
                device = self._device(source, pmu.name, pmu.idcode, parent, order)
                self._phasors(device, pmu)
                points = self._measurements(device, pmu)
                self._output(stream, pmu, order, points)

    def _insert(self, table: str, **columns: object) -> int:
        """Insert a row; return its AUTO_INCREMENT value."""
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        # Table and column names are literals of this file.
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        self._cursor.execute(statement, tuple(columns.values()))
        return self._cursor.lastrowid or 0

    def _stream(self) -> int:
        stream = self._topology.stream
        return self._insert(
            "OutputStream",
            NodeID=self._node,
            Acronym=stream.name.upper(),
            Name=stream.name,
            CommandChannel=f"port={stream.port}",
            IDCode=stream.idcode,
            NominalFrequency=stream.nominal_hz,
            FramesPerSecond=stream.rate,
            LagTime=stream.lag_time_s,
            DataFormat="FloatingPoint" if stream.float_format else "FixedInteger",
            CoordinateFormat="Polar" if stream.polar else "Rectangular",
            Enabled=1,
        )

    def _device(self, source: Input, name: str, idcode: int, parent: int | None, order: int) -> int:
        """Insert a PMU, or the PDC that is the parent of some."""
        is_pdc = source.concentrator and parent is None
        return self._insert(
            "Device",
            NodeID=self._node,
            ParentID=parent,
            UniqueID=self._id(name),
            Acronym=name.upper(),
            Name=name,
            IsConcentrator=int(is_pdc),
            AccessID=idcode,
            ProtocolID=_PROTOCOL_2011,
            ConnectionString=connection_string(source) if parent is None else None,
            FramesPerSecond=self._topology.stream.rate,
            DataLossInterval=source.silence_s,
            DelayedConnectionInterval=source.retry_s,
            LoadOrder=order,
            Enabled=1,
        )

    def _phasors(self, device: int, pmu: Pmu) -> None:
        for index, phasor in enumerate(pmu.phasors, start=1):
            self._insert(
                "Phasor",
                DeviceID=device,
                Label=phasor.label,
                Type=phasor.type,
                Phase=phasor.phase,
                SourceIndex=index,
            )

    def _measurements(self, device: int, pmu: Pmu) -> dict[str, int]:
        """Insert a PMU's measurements and return their point ids by signal reference."""
        points = {}
        for suffix, kind, index in _signals(pmu):
            reference = f"{pmu.name.upper()}-{suffix}"
            points[reference] = self._insert(
                "Measurement",
                SignalID=self._id(reference),
                DeviceID=device,
                PointTag=f"{reference}:{kind}",
                SignalTypeID=_SIGNALS[kind],
                PhasorSourceIndex=index,
                SignalReference=reference,
                Enabled=1,
            )
        return points

    def _output(self, stream: int, pmu: Pmu, order: int, points: dict[str, int]) -> None:
        device = self._insert(
            "OutputStreamDevice",
            NodeID=self._node,
            AdapterID=stream,
            IDCode=pmu.idcode,
            Acronym=pmu.name.upper(),
            Name=pmu.name,
            LoadOrder=order,
            Enabled=1,
        )
        here = {"NodeID": self._node, "OutputStreamDeviceID": device}
        for index, phasor in enumerate(pmu.phasors):
            self._insert(
                "OutputStreamDevicePhasor",
                **here,
                Label=phasor.label,
                Type=phasor.type,
                Phase=phasor.phase,
                LoadOrder=index,
            )
        for index, label in enumerate(pmu.analogs):
            self._insert("OutputStreamDeviceAnalog", **here, Label=label, Type=1, LoadOrder=index)
        for index, word in enumerate(pmu.digitals):
            labels = "".join(name.ljust(NAME_SIZE) for name in word)
            self._insert("OutputStreamDeviceDigital", **here, Label=labels, LoadOrder=index)
        for reference, point in points.items():
            self._insert(
                "OutputStreamMeasurement",
                NodeID=self._node,
                AdapterID=stream,
                PointID=point,
                SignalReference=reference,
            )

    def _id(self, name: str) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self._node} {name}"))


def _signals(pmu: Pmu) -> Iterator[tuple[str, str, int | None]]:
    """Yield suffix of the signal reference, signal type and phasor index of each signal."""
    yield "SF", "FLAG", None
    yield "FQ", "FREQ", None
    yield "DF", "DFDT", None
    for index, phasor in enumerate(pmu.phasors, start=1):
        yield f"PM{index}", f"{phasor.type}PHM", index
        yield f"PA{index}", f"{phasor.type}PHA", index
    for index in range(1, len(pmu.analogs) + 1):
        yield f"AV{index}", "ALOG", None
    for index in range(1, len(pmu.digitals) + 1):
        yield f"DV{index}", "DIGI", None
