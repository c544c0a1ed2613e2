"""Topologies in openPDC's tables: writing one, and reading it back."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from grid.pdc import database, schema
from grid.pdc.topology import DIGITALS_A_WORD, Input, Phasor, Pmu, Stream, Topology

_NAMESPACE = uuid.UUID("6f5a8f0e-4c0d-4d43-9d35-37118c371182")
_PROTOCOL_2011 = 2
_NAME_SIZE = 16
_LOCK = "grid.pdc.init"
_LOCK_WAIT_S = 10
_SIGNALS = {row[2]: row[0] for row in schema.SIGNAL_TYPES}


class NoSuchNodeError(Exception):
    """The database holds no such node; the message names those that it has."""


class Cursor(Protocol):
    """What this module needs of a DB-API cursor with %s parameters."""

    @property
    def lastrowid(self) -> int | None:
        """The AUTO_INCREMENT value of the last INSERT."""

    def execute(self, query: str, args: Any = None) -> Any:
        """Run one statement."""

    def fetchall(self) -> Any:
        """Return the rows of the last SELECT, as tuples."""


def apply_once(connection: database.Connection, topology: Topology) -> bool:
    """Make tables and rows say `topology`, in one transaction; return whether any changed.

    Only one process at a time does this in a database server: another one waits.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", (_LOCK, _LOCK_WAIT_S))
        if cursor.fetchall()[0][0] != 1:
            raise database.DatabaseError(
                f"another pdc init is at work for {_LOCK_WAIT_S} s already: try again later"
            )
        prepare(cursor)
        changed = apply(cursor, topology)
        connection.commit()
        cursor.execute("SELECT RELEASE_LOCK(%s)", (_LOCK,))
    return changed


def prepare(cursor: Cursor) -> None:
    """Make the tables that are missing, and the fixed rows."""
    for statement in schema.TABLES:
        cursor.execute(statement + " CHARACTER SET utf8mb4")
    for protocol in schema.PROTOCOLS:
        cursor.execute(
            "INSERT IGNORE INTO Protocol (ID, Acronym, Name) VALUES (%s, %s, %s)", protocol
        )
    for signal in schema.SIGNAL_TYPES:
        cursor.execute(
            "INSERT IGNORE INTO SignalType (ID, Name, Acronym, Suffix, Source, EngineeringUnits)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            signal,
        )


def nodes(cursor: Cursor) -> list[str]:
    """Return the names of the nodes that the database holds."""
    cursor.execute("SELECT Name FROM Node WHERE Enabled = 1 ORDER BY Name")
    return [row[0] for row in cursor.fetchall()]


def apply(cursor: Cursor, topology: Topology) -> bool:
    """Make the database say `topology`; return whether anything had to change.

    The rows of this node are replaced as a whole, so the caller's transaction must end
    with a commit. Other nodes' rows stay as they are.
    """
    try:
        if load(cursor, topology.node) == topology:
            return False
    except (NoSuchNodeError, ValueError):
        pass  # A node that cannot be read is written anew.
    node = str(uuid.uuid5(_NAMESPACE, topology.node))
    cursor.execute("DELETE FROM OutputStream WHERE NodeID = %s", (node,))
    cursor.execute("DELETE FROM Device WHERE NodeID = %s", (node,))
    cursor.execute(
        "INSERT INTO Node (ID, Name, Master, Enabled) VALUES (%s, %s, 1, 1)"
        " ON DUPLICATE KEY UPDATE Enabled = 1",
        (node, topology.node),
    )
    stream = _insert_stream(cursor, node, topology.stream)
    order = 0
    for source in topology.inputs:
        parent = _insert_parent(cursor, node, source, order, topology.stream.rate)
        for pmu in source.pmus:
            order += 1
            device = _insert_device(cursor, node, source, pmu, parent, order, topology.stream.rate)
            _insert_phasors(cursor, device, pmu)
            points = _insert_measurements(cursor, node, device, pmu)
            _insert_output(cursor, node, stream, pmu, order, points)
    return True


def load(cursor: Cursor, node_name: str) -> Topology:
    """Read a node's topology; NoSuchNodeError, or ValueError where rows contradict each other."""
    cursor.execute("SELECT ID FROM Node WHERE Name = %s AND Enabled = 1", (node_name,))
    found = cursor.fetchall()
    if not found:
        known = ", ".join(nodes(cursor)) or "none"
        raise NoSuchNodeError(f"the database has no node {node_name!r}; it has {known}")
    node = found[0][0]
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
    stream = Stream(
        name=name,
        idcode=idcode,
        port=int(settings(channel or "").get("port", "4712")),
        rate=rate,
        nominal_hz=nominal,
        float_format=data == "FloatingPoint",
        polar=coordinates == "Polar",
        lag_time_s=lag_time_s,
    )
    return Topology(
        node=node_name,
        stream=stream,
        inputs=_load_inputs(cursor, node, _load_pmus(cursor, adapter)),
    )


def settings(connection_string: str) -> dict[str, str]:
    """Return the settings of a connection string (`key=value; key=value`), keys in lower case."""
    found = {}
    for part in connection_string.split(";"):
        key, equals, value = part.partition("=")
        if equals:
            found[key.strip().lower()] = value.strip()
    return found


def _insert_stream(cursor: Cursor, node: str, stream: Stream) -> int:
    cursor.execute(
        "INSERT INTO OutputStream (NodeID, Acronym, Name, CommandChannel, IDCode,"
        " NominalFrequency, FramesPerSecond, LagTime, DataFormat, CoordinateFormat, Enabled)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)",
        (
            node,
            stream.name.upper(),
            stream.name,
            f"port={stream.port}",
            stream.idcode,
            stream.nominal_hz,
            stream.rate,
            stream.lag_time_s,
            "FloatingPoint" if stream.float_format else "FixedInteger",
            "Polar" if stream.polar else "Rectangular",
        ),
    )
    return _last(cursor)


def _insert_parent(cursor: Cursor, node: str, source: Input, order: int, rate: int) -> int | None:
    if not source.concentrator:
        return None
    _insert_into_device(
        cursor,
        node,
        source.name,
        None,
        True,
        source.idcode,
        _connection(source),
        rate,
        source,
        order,
    )
    return _last(cursor)


def _insert_device(
    cursor: Cursor, node: str, source: Input, pmu: Pmu, parent: int | None, order: int, rate: int
) -> int:
    connection = None if parent else _connection(source)
    idcode = pmu.idcode
    _insert_into_device(
        cursor, node, pmu.name, parent, False, idcode, connection, rate, source, order
    )
    return _last(cursor)


def _insert_into_device(
    cursor: Cursor,
    node: str,
    name: str,
    parent: int | None,
    concentrator: bool,
    idcode: int,
    connection: str | None,
    rate: int,
    source: Input,
    order: int,
) -> None:
    cursor.execute(
        "INSERT INTO Device (NodeID, ParentID, UniqueID, Acronym, Name, IsConcentrator, AccessID,"
        " ProtocolID, ConnectionString, FramesPerSecond, DataLossInterval,"
        " DelayedConnectionInterval, LoadOrder, Enabled)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)",
        (
            node,
            parent,
            str(uuid.uuid5(_NAMESPACE, f"{node} {name}")),
            name.upper(),
            name,
            int(concentrator),
            idcode,
            _PROTOCOL_2011,
            connection,
            rate,
            source.silence_s,
            source.retry_s,
            order,
        ),
    )


def _insert_phasors(cursor: Cursor, device: int, pmu: Pmu) -> None:
    for index, phasor in enumerate(pmu.phasors, start=1):
        cursor.execute(
            "INSERT INTO Phasor (DeviceID, Label, Type, Phase, SourceIndex)"
            " VALUES (%s, %s, %s, %s, %s)",
            (device, phasor.label, phasor.type, phasor.phase, index),
        )


def _measurements(pmu: Pmu) -> Iterator[tuple[str, str, int | None]]:
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


def _insert_measurements(cursor: Cursor, node: str, device: int, pmu: Pmu) -> dict[str, int]:
    """Insert a PMU's measurements and return their point ids by signal reference."""
    points = {}
    for suffix, kind, index in _measurements(pmu):
        reference = f"{pmu.name.upper()}-{suffix}"
        cursor.execute(
            "INSERT INTO Measurement (SignalID, DeviceID, PointTag, SignalTypeID,"
            " PhasorSourceIndex, SignalReference, Enabled) VALUES (%s, %s, %s, %s, %s, %s, 1)",
            (
                str(uuid.uuid5(_NAMESPACE, f"{node} {reference}")),
                device,
                f"{reference}:{kind}",
                _SIGNALS[kind],
                index,
                reference,
            ),
        )
        points[reference] = _last(cursor)
    return points


def _insert_output(
    cursor: Cursor, node: str, stream: int, pmu: Pmu, order: int, points: Mapping[str, int]
) -> None:
    cursor.execute(
        "INSERT INTO OutputStreamDevice (NodeID, AdapterID, IDCode, Acronym, Name, LoadOrder,"
        " Enabled) VALUES (%s, %s, %s, %s, %s, %s, 1)",
        (node, stream, pmu.idcode, pmu.name.upper(), pmu.name, order),
    )
    device = _last(cursor)
    for index, phasor in enumerate(pmu.phasors):
        cursor.execute(
            "INSERT INTO OutputStreamDevicePhasor (NodeID, OutputStreamDeviceID, Label, Type,"
            " Phase, LoadOrder) VALUES (%s, %s, %s, %s, %s, %s)",
            (node, device, phasor.label, phasor.type, phasor.phase, index),
        )
    for index, label in enumerate(pmu.analogs):
        cursor.execute(
            "INSERT INTO OutputStreamDeviceAnalog (NodeID, OutputStreamDeviceID, Label, Type,"
            " LoadOrder) VALUES (%s, %s, %s, 1, %s)",
            (node, device, label, index),
        )
    for index, word in enumerate(pmu.digitals):
        # openPDC keeps the 16 names of a word in one text, each padded to 16 characters.
        label = "".join(name.ljust(_NAME_SIZE) for name in word)
        cursor.execute(
            "INSERT INTO OutputStreamDeviceDigital (NodeID, OutputStreamDeviceID, Label,"
            " LoadOrder) VALUES (%s, %s, %s, %s)",
            (node, device, label, index),
        )
    for reference, point in points.items():
        cursor.execute(
            "INSERT INTO OutputStreamMeasurement (NodeID, AdapterID, PointID, SignalReference)"
            " VALUES (%s, %s, %s, %s)",
            (node, stream, point, reference),
        )


def _load_pmus(cursor: Cursor, adapter: int) -> dict[int, Pmu]:
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
        phasors = tuple(
            Phasor(label=label, type=kind, phase=phase) for label, kind, phase in cursor.fetchall()
        )
        pmus[device] = Pmu(
            name=name,
            idcode=idcode,
            phasors=phasors,
            analogs=_labels(cursor, "OutputStreamDeviceAnalog", output),
            digitals=tuple(
                _split(label) for label in _labels(cursor, "OutputStreamDeviceDigital", output)
            ),
        )
    return pmus


def _labels(cursor: Cursor, table: str, output: int) -> tuple[str, ...]:
    cursor.execute(
        f"SELECT Label FROM {table} WHERE OutputStreamDeviceID = %s ORDER BY LoadOrder",  # noqa: S608
        (output,),
    )
    return tuple(row[0] for row in cursor.fetchall())


def _split(label: str) -> tuple[str, ...]:
    names = [label[at : at + _NAME_SIZE].rstrip() for at in range(0, len(label), _NAME_SIZE)]
    return tuple(names[:DIGITALS_A_WORD])


def _load_inputs(cursor: Cursor, node: str, pmus: Mapping[int, Pmu]) -> tuple[Input, ...]:
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
        host, port = _server(name, connection or "")
        members = [device, *(row[0] for row in devices if row[1] == device)]
        inputs.append(
            Input(
                name=name,
                host=host,
                port=port,
                idcode=idcode,
                pmus=tuple(pmus[member] for member in members if member in pmus),
                concentrator=bool(concentrator),
                silence_s=silence_s,
                retry_s=retry_s,
            )
        )
    return tuple(inputs)


def _connection(source: Input) -> str:
    return (
        f"transportProtocol=tcp; server={source.host}:{source.port}; "
        f"phasorProtocol=IeeeC37_118V2; accessID={source.idcode}"
    )


def _server(name: str, connection: str) -> tuple[str, int]:
    found = settings(connection)
    if found.get("transportprotocol", "tcp").lower() != "tcp":
        raise ValueError(f"device {name}: only transportProtocol=tcp is supported")
    host, _, port = found.get("server", "").rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"device {name}: its connection string has no server=HOST:PORT")
    return host, int(port)


def _last(cursor: Cursor) -> int:
    assert cursor.lastrowid is not None  # noqa: S101 - every table has AUTO_INCREMENT
    return cursor.lastrowid
