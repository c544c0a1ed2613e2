"""Reading one node's topology from the tables."""

from collections.abc import Mapping

from grid.pdc.sql import NAME_SIZE, Cursor, server, settings
from grid.pdc.topology import DIGITALS_A_WORD, Input, Phasor, Pmu, Stream, Topology


class NoSuchNodeError(Exception):
    """The database holds no such node; the message names those that it has."""


def nodes(cursor: Cursor) -> list[str]:
    """Return the names of the nodes that the database holds."""
    cursor.execute("SELECT Name FROM Node WHERE Enabled = 1 ORDER BY Name")
    return [row[0] for row in cursor.fetchall()]


def load(cursor: Cursor, node_name: str) -> Topology:
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
    return Topology(node=node_name, stream=stream, inputs=inputs)


def _stream(cursor: Cursor, node: str, node_name: str) -> tuple[int, Stream]:
    cursor.execute(
        "SELECT ID, Name, IDCode, CommandChannel, FramesPerSecond, NominalFrequency, DataFormat,"
        " CoordinateFormat, LagTime FROM OutputStream"
        " WHERE NodeID = %s AND Enabled = 1 AND Type = 0",
        (node,),
    )
    streams = cursor.fetchall()
    if len(streams) != 1:
        raise ValueError(f"node {node_name!r} has {len(streams)} output streams, one is needed")
    adapter, name, idcode, channel, rate, nominal, data, coordinates, lag_time_s = streams[0]
    port = settings(channel or "").get("port", "")
    if not port.isdigit():
        raise ValueError(f"output stream {name}: its command channel has no port=NUMBER")
    return adapter, Stream(
        name=name,
        idcode=idcode,
        port=int(port),
        rate=rate,
        nominal_hz=nominal,
        float_format=data == "FloatingPoint",
        polar=coordinates == "Polar",
        lag_time_s=lag_time_s,
    )


def _pmus(cursor: Cursor, adapter: int) -> dict[int, Pmu]:
    """Return the output's PMUs by the id of the Device that each comes from."""
    cursor.execute(
        "SELECT o.ID, o.Name, o.IDCode, m.DeviceID FROM OutputStreamDevice o"
        " JOIN OutputStreamMeasurement s ON s.AdapterID = o.AdapterID"
        " AND s.SignalReference = CONCAT(o.Acronym, '-SF')"
        " JOIN Measurement m ON m.PointID = s.PointID"
        " WHERE o.AdapterID = %s AND o.Enabled = 1 ORDER BY o.LoadOrder",
        (adapter,),
    )
    pmus = {}
    for output, name, idcode, device in cursor.fetchall():
        cursor.execute(
            "SELECT Label, Type, Phase FROM OutputStreamDevicePhasor"
            " WHERE OutputStreamDeviceID = %s ORDER BY LoadOrder",
            (output,),
        )
        pmus[device] = Pmu(
            name=name,
            idcode=idcode,
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


def _labels(cursor: Cursor, table: str, output: int) -> tuple[str, ...]:
    # The table's name is one of the two literals above.
    statement = f"SELECT Label FROM {table} WHERE OutputStreamDeviceID = %s ORDER BY LoadOrder"  # noqa: S608
    cursor.execute(statement, (output,))
    return tuple(row[0] for row in cursor.fetchall())


def _split(label: str) -> tuple[str, ...]:
    names = [label[at : at + NAME_SIZE].rstrip() for at in range(0, len(label), NAME_SIZE)]
    return tuple(names[:DIGITALS_A_WORD])


def _inputs(cursor: Cursor, node: str, pmus: Mapping[int, Pmu]) -> tuple[Input, ...]:
    cursor.execute(
        "SELECT ID, ParentID, Name, IsConcentrator, AccessID, ConnectionString, DataLossInterval,"
        " DelayedConnectionInterval FROM Device WHERE NodeID = %s AND Enabled = 1"
        " ORDER BY LoadOrder, ID",
        (node,),
    )
    devices = cursor.fetchall()
    inputs = []
    for device, parent, name, concentrator, idcode, connection, silence_s, retry_s in devices:
        if parent is not None:
            continue
        host, port = server(name, connection or "")
        members = [device, *(row[0] for row in devices if row[1] == device)]
        sent_on = tuple(pmus[member] for member in members if member in pmus)
        if not sent_on:
            raise ValueError(f"device {name}: the output stream has none of its PMUs")
        inputs.append(
            Input(
                name=name,
                host=host,
                port=port,
                idcode=idcode,
                pmus=sent_on,
                concentrator=bool(concentrator),
                silence_s=silence_s,
                retry_s=retry_s,
            )
        )
    return tuple(inputs)
