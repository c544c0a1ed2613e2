"""One database for this PDC and openPDC, in whichever order it was made, in a real MySQL."""

import contextlib

import pytest
from mysql_fixtures import TOPOLOGY, pdc, rows, statements, user, write
from openpdc_tables import VERSIONS, made_earlier, of_openpdc

from grid.pdc.openpdc import views
from grid.pdc.openpdc.rows import ENTITIES
from grid.pdc.topology import document

pytestmark = pytest.mark.mysql

COLUMNS = (
    "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA"
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()"
    " ORDER BY TABLE_NAME, COLUMN_NAME"
)
CHECKSUMS = "CHECKSUM TABLE Protocol, SignalType, Node, Device, Phasor, Measurement, OutputStream"
ADAPTERS = (
    "SELECT a.AdapterName, a.ID = r.ID AND r.SourceTable = 'Device' FROM IaonInputAdapter a"
    " LEFT JOIN Runtime r ON r.ID = a.ID ORDER BY a.ID"
)
DEVICES_IN_RUNTIME = (
    "SELECT d.Acronym, COUNT(r.ID) FROM Device d LEFT JOIN Runtime r"
    " ON r.SourceID = d.ID AND r.SourceTable = 'Device' GROUP BY d.ID ORDER BY d.ID"
)
AREA_2 = TOPOLOGY[TOPOLOGY.index("  - name: area-2") :]


@pytest.fixture(name="theirs", params=VERSIONS, ids=lambda version: f"v{version}")
def make_theirs(env, request) -> dict[str, str]:
    """Give a database that openPDC's script has made."""
    statements({**env, "NAME": "mysql"}, f"CREATE DATABASE `{env['NAME']}`")
    statements(env, *of_openpdc(request.param))
    return env


def as_user(env: dict[str, str], *queries: str) -> list[list[tuple]]:
    """Run queries with the rights that openPDC gets."""
    with (
        contextlib.closing(user(env)) as connection,
        connection.cursor() as cursor,
    ):
        connection.select_db(env["NAME"])
        found = []
        for query in queries:
            cursor.execute(query)
            found.append(list(cursor.fetchall()))
        return found


def test_init_works_on_openpdcs_tables_and_leaves_their_shape_alone(theirs, tmp_path):
    before = rows(theirs, COLUMNS)
    code, out, error = pdc(theirs, "init", "--topology", write(tmp_path))
    assert (code, error) == (0, "")
    assert "now holds node pdc: 2 inputs, 2 PMUs" in out
    assert rows(theirs, COLUMNS) == before
    # An openPDC of version 5 would ask for a view that its tables lack.
    assert rows(theirs, "SELECT COUNT(*) FROM ConfigurationEntity") == [(0,)]
    _, out, _ = pdc(theirs, "init", "--topology", write(tmp_path))
    assert "held already" in out
    _, out, _ = pdc(theirs, "show")
    assert document.loads(out) == document.loads(TOPOLOGY.replace("PORT", "4712"))


def test_rows_in_openpdcs_tables_say_what_openpdc_needs(theirs, tmp_path):
    pdc(theirs, "init", "--topology", write(tmp_path))
    protocols = "SELECT DISTINCT p.Acronym FROM Device d JOIN Protocol p ON p.ID = d.ProtocolID"
    assert rows(theirs, protocols) == [("IeeeC37_118V2",)]
    stream = "SELECT TimeResolution, ConnectionString, IgnoreBadTimeStamps FROM OutputStream"
    wanted = (10_000, "addPhaseLabelSuffix=false; replaceWithSpaceChar=_", 1)
    assert rows(theirs, stream) == [wanted]
    assert rows(theirs, "SELECT MenuData <> '' FROM Node") == [(1,)]
    assert rows(theirs, DEVICES_IN_RUNTIME) == [("PMU-1", 1), ("AREA-2", 1), ("PMU-7", 1)]
    assert rows(theirs, "SELECT COUNT(*) FROM SignalType") == [(13,)]


def test_inputs_come_and_go_in_openpdcs_tables(theirs, tmp_path):
    pdc(theirs, "init", "--topology", write(tmp_path))
    kept = "SELECT ID FROM Device WHERE Acronym = 'PMU-1'"
    before = rows(theirs, kept)
    code, out, error = pdc(theirs, "apply", write(tmp_path, TOPOLOGY.replace(AREA_2, "")))
    assert (code, out, error) == (0, "- input area-2\n", "")
    assert rows(theirs, DEVICES_IN_RUNTIME) == [("PMU-1", 1)]
    code, out, error = pdc(theirs, "apply", write(tmp_path))
    assert (code, out, error) == (0, "+ input area-2 with PMUs pmu-7\n", "")
    assert rows(theirs, kept) == before
    # Another name of the stream: all is written again, a parent with its children too.
    renamed = TOPOLOGY.replace("name: pdc,", "name: other,")
    code, _, error = pdc(
        theirs, "apply", write(tmp_path, renamed.replace("stream:", "node: pdc\nstream:"))
    )
    assert (code, error) == (0, "")
    assert rows(theirs, "SELECT COUNT(*) FROM Runtime") == [(4,)]


def test_a_stream_of_openpdcs_keeps_the_settings_that_a_topology_has_not(theirs, tmp_path):
    pdc(theirs, "init", "--topology", write(tmp_path))
    statements(theirs, "UPDATE OutputStream SET TimeResolution = 5000, ConnectionString = 'a=b'")
    pdc(theirs, "apply", write(tmp_path, TOPOLOGY.replace("lag_time_s: 0.3", "lag_time_s: 0.4")))
    stream = "SELECT LagTime, TimeResolution, ConnectionString FROM OutputStream"
    assert rows(theirs, stream) == [(0.4, 5000, "a=b")]


def test_openpdc_finds_all_that_it_loads_with_its_users_rights(env, tmp_path):
    pdc(env, "init", "--topology", write(tmp_path))
    (entities,) = as_user(env, "SELECT RuntimeName, SourceName FROM ConfigurationEntity")
    assert tuple(entities) == ENTITIES
    as_user(env, *(f"TABLE {source}" for _, source in ENTITIES))
    as_user(env, *(f"TABLE {view}" for view in views.VIEWS))
    inputs, actions, outputs = as_user(
        env,
        ADAPTERS,
        "SELECT AdapterName, TypeName, ConnectionString FROM IaonActionAdapter ORDER BY ID",
        "SELECT * FROM IaonOutputAdapter",
    )
    # A concentrator is one input; its PMUs are in RuntimeInputStreamDevice.
    assert inputs == [("PMU-1", 1), ("AREA-2", 1)]
    assert [name for name, _, _ in actions] == ["PHASOR!SERVICES", "PDC"]
    assert actions[1][1] == "PhasorProtocolAdapters.IeeeC37_118.Concentrator"
    assert actions[1][2].startswith("addPhaseLabelSuffix=false; replaceWithSpaceChar=_; command")
    for setting in ("commandChannel={port=4712}", "framesPerSecond=50", "timeResolution=10000"):
        assert setting in actions[1][2].split("; ")
    assert outputs == []
    children, streams, measurements = as_user(
        env,
        "SELECT c.Acronym, p.AdapterName FROM RuntimeInputStreamDevice c"
        " JOIN RuntimeDevice p ON p.ID = c.ParentID",
        "SELECT COUNT(*), COUNT(AdapterID) FROM RuntimeOutputStreamMeasurement",
        "SELECT COUNT(*), COUNT(DeviceID), COUNT(DISTINCT SignalID) FROM ActiveMeasurement",
    )
    assert children == [("PMU-7", "AREA-2")]
    assert streams == [(25, 25)]
    assert measurements == [(25, 25, 25)]


def test_openpdc_adds_rows_of_its_own_which_this_pdc_passes_over(env, tmp_path):
    path = write(tmp_path)
    pdc(env, "init", "--topology", path)
    as_user(
        env,
        "INSERT INTO SignalType (Name, Acronym, Suffix, Abbreviation, Source)"
        " VALUES ('New', 'NEWS', 'NS', 'N', 'Any')",
        "INSERT INTO Measurement (DeviceID, PointTag, SignalTypeID, SignalReference, Enabled)"
        " SELECT d.ID, 'Q', t.ID, CONCAT(d.Acronym, '-QF'), 1 FROM Device d, SignalType t"
        " WHERE d.Acronym = 'PMU-1' AND t.Acronym = 'QUAL'",
        "INSERT INTO CustomActionAdapter (NodeID, AdapterName, AssemblyName, TypeName, Enabled)"
        " SELECT ID, 'STATISTIC!SERVICES', 'GSF.TimeSeries.dll', 'T', 1 FROM Node",
    )
    code, out, error = pdc(env, "apply", path)
    assert (code, out, error) == (0, f"Database {env['NAME']} says this already.\n", "")
    adapter = (
        "SELECT ID IS NOT NULL FROM IaonActionAdapter WHERE AdapterName = 'STATISTIC!SERVICES'"
    )
    assert rows(env, adapter) == [(1,)]
    _, out, _ = pdc(env, "show")
    assert document.loads(out) == document.loads(TOPOLOGY.replace("PORT", "4712"))


def test_tables_of_the_first_version_are_brought_up_to_date(env, tmp_path):
    path = write(tmp_path)
    pdc(env, "init", "--topology", path)
    wanted = rows(env, COLUMNS)
    devices = "SELECT ID, UniqueID, Acronym FROM Device ORDER BY ID"
    before = rows(env, devices)
    statements(env, *made_earlier([row[:2] for row in wanted]))
    code, _, error = pdc(env, "apply", path)
    assert code == 1
    assert "Run pdc init first" in error

    code, _, error = pdc(env, "init", "--topology", path)
    assert (code, error) == (0, "")
    # Columns that streams of that time did without say what they did.
    of_streams = {"IgnoreBadTimeStamps", "TimeResolution", "ConnectionString"}
    after = rows(env, COLUMNS)
    assert [row for row in after if row[1] not in of_streams] == [
        row for row in wanted if row[1] not in of_streams
    ]
    assert rows(env, devices) == before
    stream = (
        "SELECT TimeResolution, ConnectionString LIKE 'add%', IgnoreBadTimeStamps FROM OutputStream"
    )
    assert rows(env, stream) == [(10_000, 1, 1)]
    short = "SELECT COUNT(*) FROM SignalType WHERE Abbreviation = '' OR LongAcronym = 'Undefined'"
    assert rows(env, short) == [(0,)]
    assert rows(env, ADAPTERS) == [("PMU-1", 1), ("AREA-2", 1)]
    sums = rows(env, CHECKSUMS)
    _, out, _ = pdc(env, "init", "--topology", path)
    assert "held already" in out
    assert rows(env, CHECKSUMS) == sums
    assert rows(env, COLUMNS) == after
