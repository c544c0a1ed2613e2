"""Reads a node's topology from the tables."""

from collections.abc import Mapping

from grid.documents.channels import DIGITALS_A_WORD, Phasor
from grid.pdc.openpdc import connection_strings
from grid.pdc.openpdc.sql import MQTT_ADAPTER, NAME_SIZE, SqlCursor
from grid.pdc.topology.model import (
    BadTime,
    Downsampling,
    InputStream,
    MqttBroker,
    OutputStream,
    Pmu,
    Topology,
)

_METHODS = {"Closest": Downsampling.CLOSEST, "LastReceived": Downsampling.LAST_RECEIVED}


class NoSuchNodeError(Exception):
    """The database holds no such node; the message names those that it has."""


def nodes(cursor: SqlCursor) -> list[str]:
    """Return the names of the nodes that the database holds."""
    cursor.execute("SELECT Name FROM Node WHERE Enabled = 1 ORDER BY Name")
    return [row[0] for row in cursor.fetchall()]


def load(cursor: SqlCursor, node_name: str) -> Topology:
    """Read a node's topology; NoSuchNodeError, or ValueError where rows are missing."""
    cursor.execute("SELECT ID FROM Node WHERE Name = %s AND Enabled = 1", (node_name,))
    found = cursor.fetchall()
    if not found:
        known = ", ".join(nodes(cursor)) or "none"
        raise NoSuchNodeError(f"the database has no node {node_name!r}; it has {known}")
    node = found[0][0]
    adapter, stream = _stream(cursor, node, node_name)
    inputs = _inputs(cursor, node, _pmus(cursor, adapter))
    if not inputs:
        raise ValueError(f"node {node_name!r} has no enabled input device")
    return Topology(node=node_name, stream=stream, inputs=inputs, mqtt=_mqtt(cursor, node))


def _stream(cursor: SqlCursor, node: str, node_name: str) -> tuple[int, OutputStream]:
    cursor.execute(
        "SELECT ID, Name, IDCode, CommandChannel, DataChannel, FramesPerSecond,"
        " NominalFrequency, DataFormat, CoordinateFormat, LagTime, LeadTime,"
        " UseLocalClockAsRealTime, AllowPreemptivePublishing, DownsamplingMethod,"
        " IgnoreBadTimeStamps, AllowSortsByArrival FROM OutputStream"
        " WHERE NodeID = %s AND Enabled = 1 AND Type = 0",
        (node,),
    )
    streams = cursor.fetchall()
    if len(streams) != 1:
        raise ValueError(f"node {node_name!r} has {len(streams)} output streams, one is needed")
    adapter, name, idcode, command, data, rate, nominal, numbers, coordinates = streams[0][:9]
    lag_s, lead_s, absolute, preemptive, method, ignore, arrival = streams[0][9:]
    if method not in _METHODS:
        raise ValueError(
            f"output stream {name}: DownsamplingMethod {method} is none of {', '.join(_METHODS)}"
        )
    return adapter, OutputStream(
        name=name,
        idcode=idcode,
        address=connection_strings.stream_address(name, command or ""),
        destinations=connection_strings.destinations(name, data or ""),
        rate=rate,
        nominal_hz=nominal,
        float_format=numbers == "FloatingPoint",
        polar=coordinates == "Polar",
        lag_time_s=lag_s,
        lead_time_s=lead_s,
        absolute_wait=bool(absolute),
        preemptive=bool(preemptive),
        downsampling=_METHODS[method],
        bad_time=BadTime.USE if ignore else BadTime.ARRIVAL if arrival else BadTime.DROP,
    )


def _mqtt(cursor: SqlCursor, node: str) -> MqttBroker | None:
    cursor.execute(
        "SELECT ConnectionString FROM CustomOutputAdapter"
        " WHERE NodeID = %s AND TypeName = %s AND Enabled = 1 ORDER BY LoadOrder",
        (node, MQTT_ADAPTER),
    )
    found = cursor.fetchall()
    return connection_strings.broker(found[0][0] or "") if found else None


def _pmus(cursor: SqlCursor, adapter: int) -> dict[int, Pmu]:
    """Return the output's PMUs by the id of the Device that each comes from."""
    cursor.execute(
        "SELECT o.ID, o.Name, o.IDCode, d.AccessID, m.DeviceID FROM OutputStreamDevice o"
        " JOIN OutputStreamMeasurement s ON s.AdapterID = o.AdapterID"
        " AND s.SignalReference = CONCAT(o.Acronym, '-SF')"
        " JOIN Measurement m ON m.PointID = s.PointID"
        " JOIN Device d ON d.ID = m.DeviceID"
        " WHERE o.AdapterID = %s AND o.Enabled = 1 ORDER BY o.LoadOrder",
        (adapter,),
    )
    pmus = {}
    for output, name, idcode, access, device in cursor.fetchall():
        cursor.execute(
            "SELECT Label, Type, Phase FROM OutputStreamDevicePhasor"
            " WHERE OutputStreamDeviceID = %s ORDER BY LoadOrder",
            (output,),
        )
        pmus[device] = Pmu(
            name=name,
            idcode=access,
            output_idcode=None if idcode == access else idcode,
            phasors=tuple(
                Phasor(label=label, type=kind, phase=phase)
                for label, kind, phase in cursor.fetchall()
            ),
            analogs=_labels(cursor, "OutputStreamDeviceAnalog", output),
            digitals=tuple(
                _split(label) for label in _labels(cursor, "OutputStreamDeviceDigital", output)
            ),
        )
    return pmus


def _labels(cursor: SqlCursor, table: str, output: int) -> tuple[str, ...]:
    # The table's name is one of the two literals above.
    statement = f"SELECT Label FROM {table} WHERE OutputStreamDeviceID = %s ORDER BY LoadOrder"  # noqa: S608
    cursor.execute(statement, (output,))
    return tuple(row[0] for row in cursor.fetchall())


def _split(label: str) -> tuple[str, ...]:
    names = [label[at : at + NAME_SIZE].rstrip() for at in range(0, len(label), NAME_SIZE)]
    return tuple(names[:DIGITALS_A_WORD])


def _inputs(cursor: SqlCursor, node: str, pmus: Mapping[int, Pmu]) -> tuple[InputStream, ...]:
    cursor.execute(
        "SELECT ID, ParentID, Name, IsConcentrator, AccessID, ConnectionString, DataLossInterval,"
        " DelayedConnectionInterval FROM Device WHERE NodeID = %s AND Enabled = 1"
        " ORDER BY LoadOrder, ID",
        (node,),
    )
    devices = cursor.fetchall()
    inputs = []
    for device, parent, name, concentrator, idcode, string, silence_s, retry_s in devices:
        if parent is not None:
            continue
        members = [device, *(row[0] for row in devices if row[1] == device)]
        sent_on = tuple(pmus[member] for member in members if member in pmus)
        if not sent_on:
            raise ValueError(f"device {name}: the output stream has none of its PMUs")
        inputs.append(
            InputStream(
                name=name,
                address=connection_strings.device_address(name, string or ""),
                idcode=idcode,
                pmus=sent_on,
                concentrator=bool(concentrator),
                silence_s=silence_s,
                retry_s=retry_s,
            )
        )
    return tuple(inputs)
