"""Writes a node's topology into the tables."""

import uuid
from collections.abc import Iterator

from grid.pdc.openpdc import connection_strings, rows, schema
from grid.pdc.openpdc.sql import MQTT_ADAPTER, NAME_SIZE, NAMESPACE, SqlCursor
from grid.pdc.topology.model import BadTime, Downsampling, InputStream, Pmu, Topology

_METHODS = {Downsampling.CLOSEST: "Closest", Downsampling.LAST_RECEIVED: "LastReceived"}


class TopologyWriter:
    """Changes one node's rows to a topology.

    Rows of inputs that stay as they are keep their ids, on which other tables of openPDC
    build; what differs is deleted and inserted again.
    """

    def __init__(self, cursor: SqlCursor, node: str, topology: Topology) -> None:
        self._cursor = cursor
        self._node = node
        self._topology = topology
        self._protocol = rows.types(cursor, "Protocol")["IeeeC37_118V2"]
        self._signals = rows.types(cursor, "SignalType")

    def write(self, before: Topology | None) -> None:
        """Change what differs from `before`; None: whatever there is goes."""
        if before is None or before.stream.name != self._topology.stream.name:
            before = None
            # openPDC's own tables keep a device that is another's parent.
            self._cursor.execute(
                "DELETE FROM Device WHERE NodeID = %s AND ParentID IS NOT NULL", (self._node,)
            )
            for table in ("OutputStream", "Device", "CustomOutputAdapter"):
                # Tables of this list only; what belongs to their rows goes with them.
                self._cursor.execute(f"DELETE FROM {table} WHERE NodeID = %s", (self._node,))  # noqa: S608
        kept = set(before.inputs) & set(self._topology.inputs) if before else set()
        for input_stream in before.inputs if before else ():
            if input_stream not in kept:
                self._delete(input_stream)
        stream = self._stream(before is not None)
        self._mqtt()
        order = 0
        for input_stream in self._topology.inputs:
            parent = None
            if input_stream in kept:
                order = self._renumber(input_stream, order)
                continue
            if input_stream.concentrator:
                parent = self._device(
                    input_stream, input_stream.name, input_stream.idcode, None, order
                )
            for pmu in input_stream.pmus:
                order += 1
                device = self._device(input_stream, pmu.name, pmu.idcode, parent, order)
                self._phasors(device, pmu)
                points = self._measurements(device, pmu)
                self._output(stream, pmu, order, points)

    def _delete(self, input_stream: InputStream) -> None:
        """Delete an input, its PMUs, and all that belongs to them."""
        for pmu in input_stream.pmus:
            for table in ("OutputStreamDevice", "Device"):
                self._cursor.execute(
                    f"DELETE FROM {table} WHERE NodeID = %s AND Acronym = %s",  # noqa: S608
                    (self._node, pmu.name.upper()),
                )
        self._cursor.execute(
            "DELETE FROM Device WHERE NodeID = %s AND Acronym = %s",
            (self._node, input_stream.name.upper()),
        )

    def _renumber(self, input_stream: InputStream, order: int) -> int:
        """Give an input that stays its place in the order; return the last number used."""
        if input_stream.concentrator:
            self._place("Device", input_stream.name, order)
        for pmu in input_stream.pmus:
            order += 1
            self._place("Device", pmu.name, order)
            self._place("OutputStreamDevice", pmu.name, order)
        return order

    def _place(self, table: str, name: str, order: int) -> None:
        self._cursor.execute(
            f"UPDATE {table} SET LoadOrder = %s WHERE NodeID = %s AND Acronym = %s",  # noqa: S608
            (order, self._node, name.upper()),
        )

    def _insert(self, table: str, **columns: object) -> int:
        """Insert a row; return its AUTO_INCREMENT value."""
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        # Table and column names are literals of this file.
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        self._cursor.execute(statement, tuple(columns.values()))
        return self._cursor.lastrowid or 0

    def _stream(self, present: bool) -> int:
        """Insert the output stream, or update the one that is there; return its ID."""
        stream = self._topology.stream
        columns: dict[str, object] = {
            "Acronym": stream.name.upper(),
            "Name": stream.name,
            "CommandChannel": connection_strings.command_channel(stream.address),
            "DataChannel": connection_strings.data_channel(stream.destinations),
            "IDCode": stream.idcode,
            "NominalFrequency": stream.nominal_hz,
            "FramesPerSecond": stream.rate,
            "LagTime": stream.lag_time_s,
            "LeadTime": stream.lead_time_s,
            "UseLocalClockAsRealTime": int(stream.absolute_wait),
            "AllowPreemptivePublishing": int(stream.preemptive),
            "DownsamplingMethod": _METHODS[stream.downsampling],
            "IgnoreBadTimeStamps": int(stream.bad_time is BadTime.USE),
            "AllowSortsByArrival": int(stream.bad_time is not BadTime.DROP),
            "DataFormat": "FloatingPoint" if stream.float_format else "FixedInteger",
            "CoordinateFormat": "Polar" if stream.polar else "Rectangular",
            "Enabled": 1,
        }
        if not present:
            return self._insert(
                "OutputStream",
                NodeID=self._node,
                ConnectionString=schema.STREAM_SETTINGS,
                TimeResolution=schema.TIME_RESOLUTION,
                **columns,
            )
        settings = ", ".join(f"{column} = %s" for column in columns)
        where = (self._node, stream.name.upper())
        self._cursor.execute(
            f"UPDATE OutputStream SET {settings} WHERE NodeID = %s AND Acronym = %s",  # noqa: S608
            (*columns.values(), *where),
        )
        self._cursor.execute(
            "SELECT ID FROM OutputStream WHERE NodeID = %s AND Acronym = %s", where
        )
        return int(self._cursor.fetchall()[0][0])

    def _mqtt(self) -> None:
        self._cursor.execute(
            "DELETE FROM CustomOutputAdapter WHERE NodeID = %s AND TypeName = %s",
            (self._node, MQTT_ADAPTER),
        )
        if self._topology.mqtt is not None:
            self._insert(
                "CustomOutputAdapter",
                NodeID=self._node,
                AdapterName="MQTT",
                AssemblyName="grid",
                TypeName=MQTT_ADAPTER,
                ConnectionString=connection_strings.broker_string(self._topology.mqtt),
                Enabled=1,
            )

    def _device(
        self, input_stream: InputStream, name: str, idcode: int, parent: int | None, order: int
    ) -> int:
        """Insert a PMU, or the PDC that is the parent of some."""
        is_pdc = input_stream.concentrator and parent is None
        return self._insert(
            "Device",
            NodeID=self._node,
            ParentID=parent,
            UniqueID=self._id(name),
            Acronym=name.upper(),
            Name=name,
            IsConcentrator=int(is_pdc),
            AccessID=idcode,
            ProtocolID=self._protocol,
            ConnectionString=connection_strings.device_string(input_stream.address)
            if parent is None
            else None,
            FramesPerSecond=self._topology.stream.rate,
            DataLossInterval=input_stream.silence_s,
            DelayedConnectionInterval=input_stream.retry_s,
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
                SignalTypeID=self._signals[kind],
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
            IDCode=pmu.output_id,
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
