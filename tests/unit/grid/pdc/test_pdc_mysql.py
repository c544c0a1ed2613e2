"""The tables in a real MySQL server.

They run with `-m mysql`, against the server that BLACKSTART_TEST_MYSQL=HOST:PORT:ROOTPASSWORD
names; tests/lab runs them against a lab's own.
"""

import contextlib
import socket

import pymysql
import pytest
import stream_fixtures as streams
from mysql_fixtures import TOPOLOGY, pdc, root, rows, user, write

from grid.pdc.topology import document
from grid.transport import client
from tests.ports import free_port

pytestmark = pytest.mark.mysql


def test_a_topology_survives_the_tables(env, tmp_path):
    path = write(tmp_path)
    code, out, error = pdc(env, "init", "--topology", path)
    assert (code, error) == (0, "")
    assert "now holds node pdc: 2 inputs, 2 PMUs" in out
    code, out, error = pdc(env, "show")
    assert (code, error) == (0, "")
    assert document.loads(out) == document.loads((tmp_path / "topology.yml").read_text())


def test_a_second_run_changes_nothing_and_another_topology_replaces_the_rows(env, tmp_path):
    path = write(tmp_path)
    pdc(env, "init", "--topology", path)
    query = "SELECT ID, UniqueID, Acronym, UNIX_TIMESTAMP() > 0 FROM Device ORDER BY ID"
    before = rows(env, query)
    _, out, _ = pdc(env, "init", "--topology", path)
    assert "held already" in out
    assert rows(env, query) == before
    pdc(env, "init", "--topology", write(tmp_path, TOPOLOGY.replace("V+, ", "")))
    assert rows(env, "SELECT COUNT(*) FROM OutputStream") == [(1,)]
    assert rows(env, "SELECT COUNT(*) FROM Phasor") == [(7,)]
    assert rows(env, "SELECT COUNT(*) FROM OutputStreamDevicePhasor") == [(7,)]


def test_the_rows_are_those_of_openpdc(env, tmp_path):
    pdc(env, "init", "--topology", write(tmp_path))
    devices = rows(
        env,
        "SELECT d.Acronym, p.Acronym, d.IsConcentrator, d.AccessID, d.ConnectionString"
        " FROM Device d LEFT JOIN Device p ON p.ID = d.ParentID ORDER BY d.ID",
    )
    string = "transportProtocol=tcp; server={}; phasorProtocol=IeeeC37_118V2"
    assert devices == [
        ("PMU-1", None, 0, 1, string.format("127.0.0.1:4712")),
        ("AREA-2", None, 1, 11, string.format("[::1]:4999")),
        ("PMU-7", "AREA-2", 0, 7, None),
    ]
    references = rows(
        env,
        "SELECT m.SignalReference, t.Acronym FROM Measurement m"
        " JOIN SignalType t ON t.ID = m.SignalTypeID"
        " WHERE m.SignalReference LIKE 'PMU-7%' ORDER BY m.PointID",
    )
    assert references == [
        ("PMU-7-SF", "FLAG"),
        ("PMU-7-FQ", "FREQ"),
        ("PMU-7-DF", "DFDT"),
        ("PMU-7-PM1", "VPHM"),
        ("PMU-7-PA1", "VPHA"),
        ("PMU-7-PM2", "IPHM"),
        ("PMU-7-PA2", "IPHA"),
        ("PMU-7-AV1", "ALOG"),
        ("PMU-7-DV1", "DIGI"),
        ("PMU-7-DV2", "DIGI"),
    ]
    (mode,) = rows(env, "SELECT @@sql_mode LIKE '%STRICT%'")
    assert mode == (1,)


def test_two_inits_at_once_do_not_disturb_each_other(env, tmp_path):
    path = write(tmp_path)
    arguments = ["--database", env["NAME"], "--topology", path, "--wait", "10"]
    processes = [streams.Process("grid.pdc", "init", *arguments, env=env) for _ in range(3)]
    said = []
    for process in processes:
        with process:
            said.append("".join(process.process.communicate(timeout=streams.stretched(60))))
    assert sum("now holds" in text for text in said) == 1, said
    assert sum("held already" in text for text in said) == 2, said


def test_the_user_may_not_touch_other_databases(env, tmp_path):
    pdc(env, "init", "--topology", write(tmp_path))
    with (
        contextlib.closing(user(env)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SHOW DATABASES")
        visible = {row[0] for row in cursor.fetchall()}
        with pytest.raises(pymysql.MySQLError):
            cursor.execute(f"CREATE DATABASE `{env['NAME']}x`")
    assert visible - {"information_schema", "performance_schema"} == {env["NAME"]}


def test_it_serves_from_the_database_and_without_it_from_the_cache(env, tmp_path):
    pmu_port, port = free_port(), free_port()
    path = tmp_path / "topology.yml"
    path.write_text(TOPOLOGY.replace("PORT", str(pmu_port)))
    cache = tmp_path / "cache" / "config.json"
    pmu = streams.Process("grid.pmu", "serve", "--idcode", "1", "--port", str(pmu_port))
    with pmu:
        pdc(env, "init", "--topology", str(path))
        for database_port, message in ((env["DB_PORT"], ""), ("1", "from the cache")):
            options = ["--database", env["NAME"], "--port", str(port), "--cache", str(cache)]
            here = {**env, "DB_PORT": database_port}
            with streams.Process("grid.pdc", "serve", *options, env=here) as serving:
                streams.eventually(lambda: reachable(port))
                frames = 0
                for event in client.receive(streams.HOST, port, idcode=10):
                    frames += isinstance(event, client.Frame)
                    if frames == 20:
                        break
                assert frames == 20
                code, seconds, log = serving.terminate()
            assert code == 0
            assert seconds < streams.stretched(1)
            assert message in log
            assert cache.exists()


def reachable(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((streams.HOST, port)) == 0


def test_what_is_wrong_is_one_clear_sentence(env, tmp_path):
    path = write(tmp_path)
    code, _, error = pdc(
        {**env, "DB_ROOT_PASSWORD": "no"}, "init", "--wait", "0", "--topology", path
    )
    assert code == 1
    assert "Check DB_USER and DB_PASSWORD (DB_ROOT_PASSWORD for pdc init)" in error
    pdc(env, "init", "--topology", path)
    code, _, error = pdc(env, "show", "--node", "other")
    assert code == 1
    assert "the database has no node 'other'; it has pdc" in error
    code, _, error = pdc({**env, "NAME": "mysql; DROP"}, "show")
    assert code == 1
    assert "is no database name" in error
    assert "Traceback" not in error


AREA = """
stream:
  name: pdc
  idcode: 10
  address: tcp+udp://:4712?data=4713
  send_to: ["udp-spontaneous://239.1.2.3:4713?interface=eth0&ttl=4"]
  wait: absolute
  lag_time_s: 0.25
  lead_time_s: 0.5
  preemptive: false
  downsampling: last-received
  bad_time: POLICY
inputs:
  - {name: pmu-1, address: "udp://10.0.0.1:4713", idcode: 1, phasors: [VA]}
  - {name: pmu-2, address: "udp-spontaneous://:4714", idcode: 2, output_idcode: 9, phasors: [VA]}
  - {name: pmu-3, address: "tcp+udp://a:4712?data=4799", idcode: 3, silence_s: 3, phasors: [VA]}
mqtt: {host: broker, port: 8883, tls: true, ca_file: /etc/ca.pem, topic: a/b, payload: raw}
"""


@pytest.mark.parametrize("policy", ["use", "arrival", "drop"])
def test_every_setting_survives_the_tables(env, tmp_path, policy):
    path = write(tmp_path, AREA.replace("POLICY", policy))
    pdc(env, "init", "--topology", path)
    code, out, error = pdc(env, "show")
    assert (code, error) == (0, "")
    assert document.loads(out) == document.loads(AREA.replace("POLICY", policy))


def test_apply_says_what_it_changed_and_leaves_the_rest_alone(env, tmp_path):
    pdc(env, "init", "--topology", write(tmp_path))
    query = "SELECT Acronym, ID FROM Device"
    points = "SELECT SignalReference, PointID FROM Measurement WHERE SignalReference LIKE 'PMU-1%'"
    before, measured = dict(rows(env, query)), rows(env, points)
    path = write(tmp_path)
    assert pdc(env, "apply", path) == (0, f"Database {env['NAME']} says this already.\n", "")
    assert dict(rows(env, query)) == before

    changed = TOPOLOGY.replace("lag_time_s: 0.3", "lag_time_s: 0.4").replace("[V+, ", "[V-, ")
    changed = changed.replace(
        "inputs:", "inputs:\n  - {name: n, host: h, idcode: 4, phasors: [VA]}"
    )
    code, out, error = pdc(env, "apply", write(tmp_path, changed))
    assert (code, error) == (0, "")
    assert out.splitlines() == [
        "~ stream: lag_time_s 0.3 -> 0.4",
        "+ input n",
        "~ input area-2: PMU pmu-7: phasors [V+, {label Line 4, type I, phase 0}]"
        " -> [V-, {label Line 4, type I, phase 0}]",
    ]
    after = dict(rows(env, query))
    assert after["PMU-1"] == before["PMU-1"]
    assert rows(env, points) == measured
    _, out, _ = pdc(env, "show")
    assert document.loads(out) == document.loads(changed.replace("PORT", "4712"))
    assert rows(env, "SELECT COUNT(*) FROM OutputStream") == [(1,)]


def test_apply_removes_what_is_gone_and_keeps_to_the_new_order(env, tmp_path):
    pdc(env, "init", "--topology", write(tmp_path))
    one, two = TOPOLOGY[TOPOLOGY.index("  - {name: pmu-1") :].split("  - name: area-2")
    head = TOPOLOGY[: TOPOLOGY.index("  - {name: pmu-1")]
    swapped = f"{head}  - name: area-2{two}{one}"
    _, out, _ = pdc(env, "apply", write(tmp_path, swapped))
    assert out == "~ order of inputs: area-2, pmu-1\n"
    _, out, _ = pdc(env, "show")
    assert document.loads(out) == document.loads(swapped.replace("PORT", "4712"))
    _, out, _ = pdc(env, "apply", write(tmp_path, f"{head}{one}"))
    assert out == "- input area-2\n"
    assert rows(env, "SELECT Acronym FROM Device") == [("PMU-1",)]
    assert rows(env, "SELECT Acronym FROM OutputStreamDevice") == [("PMU-1",)]


def test_apply_needs_the_tables_and_says_so(env, tmp_path):
    with contextlib.closing(root(env)) as connection, connection.cursor() as cursor:
        name, user = env["NAME"], env["DB_USER"]
        cursor.execute(f"CREATE DATABASE `{name}`")
        cursor.execute("CREATE USER %s@'%%' IDENTIFIED BY %s", (user, env["DB_PASSWORD"]))
        cursor.execute(f"GRANT ALL ON `{name}`.* TO %s@'%%'", (user,))
        connection.commit()
    code, _, error = pdc(env, "apply", write(tmp_path))
    assert code == 1
    assert "Run pdc init first" in error


def test_a_change_in_the_tables_is_followed_while_frames_go_through(env, tmp_path):
    pmu_port, port = free_port(), free_port()
    topology = TOPOLOGY.replace("PORT", str(pmu_port))
    path = tmp_path / "topology.yml"
    path.write_text(topology)
    pdc(env, "init", "--topology", str(path))
    pmu = streams.Process("grid.pmu", "serve", "--idcode", "1", "--port", str(pmu_port))
    options = ["--database", env["NAME"], "--port", str(port), "--poll", "0.2"]
    with pmu, streams.Process("grid.pdc", "serve", *options, env=env) as serving:
        streams.eventually(lambda: reachable(port))
        times: list[int] = []
        sizes: set[int] = set()
        applied = False
        for event in client.receive(streams.HOST, port, idcode=10, silence_s=5.0):
            assert not isinstance(event, client.Disconnected)
            if not isinstance(event, client.Frame):
                continue
            times.append(round((event.data.stamp.soc + event.fraction) * 50))
            sizes.add(len(event.data.pmus))
            if len(times) == 50 and not applied:
                applied = True
                path.write_text(topology[: topology.index("  - name: area-2")])
                code, out, _ = pdc(env, "apply", str(path))
                assert (code, out) == (0, "- input area-2\n")
            if len(times) > 100 and 1 in sizes and len(event.data.pmus) == 1:
                break
        code, _, log = serving.terminate()
    assert code == 0
    assert sizes == {1, 2}
    assert times == [*range(times[0], times[-1] + 1)], "no frame was lost"
    assert "- input area-2" in log
    assert env["DB_PASSWORD"] not in log
