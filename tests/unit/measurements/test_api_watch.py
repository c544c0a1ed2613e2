"""The watch against HTTP servers that answer as API servers do, and misbehave as they do."""

import contextlib
import dataclasses
import http.server
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from measurements import events, history
from measurements.probes import objects
from measurements.probes.api_watch import ApiWatch

Json = dict[str, Any]


def node(name: str = "worker-1", ready: str = "True", version: str = "1") -> Json:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version},
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "why"}]},
    }


def pod(uid: str = "a", version: str = "1", **status: Any) -> Json:
    return {
        "metadata": {
            "name": f"pdc-{uid}",
            "uid": uid,
            "resourceVersion": version,
            "labels": {"app.kubernetes.io/name": "pdc-higher"},
        },
        "spec": {"nodeName": "worker-1", "containers": [{}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 0, "state": {"running": {}}}],
        }
        | status,
    }


class Api:
    """An API server whose lists and watch events a test decides."""

    def __init__(self, port: int = 0) -> None:
        self.closed = False
        self.lists: dict[str, list[Json]] = {"nodes": [node()], "pods": [pod()]}
        self.changes: dict[str, queue.Queue[Json | None]] = {
            "nodes": queue.Queue(),
            "pods": queue.Queue(),
        }
        self.asked: list[str] = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if api.closed:
                    self.close_connection = True
                    return
                api.asked.append(self.path)
                kind = "nodes" if self.path.startswith("/api/v1/nodes") else "pods"
                if "watch=True" in self.path:
                    api.stream(self, kind)
                else:
                    body = {"metadata": {"resourceVersion": "10"}, "items": api.lists[kind]}
                    data = json.dumps(body).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stream(self, handler: http.server.BaseHTTPRequestHandler, kind: str) -> None:
        """Send what the queue holds; None ends the watch."""
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while (change := self.changes[kind].get()) is not None:
                data = json.dumps(change).encode() + b"\n"
                # Cut in two: a line may arrive in pieces.
                for part in (data[:7], data[7:]):
                    handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    handler.wfile.flush()
            handler.wfile.write(b"0\r\n\r\n")

    def tell(self, kind: str, change: str, thing: Json) -> None:
        self.changes[kind].put({"type": change, "object": thing})

    def close(self) -> None:
        self.closed = True
        for changes in self.changes.values():
            changes.put(None)
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    yield server
    server.close()


def kubeconfig(path: Path, port: int) -> Path:
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [cluster],
                "contexts": [context],
                "users": [{"name": "u", "user": {}}],
                "current-context": "c",
            }
        )
    )
    return path


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[history.Recorder]:
    with history.Recorder(tmp_path / "history.jsonl") as opened:
        yield opened


def eventually(check: Callable[[], bool], limit_s: float = 5) -> None:
    deadline = time.monotonic() + limit_s
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def told(recorder: history.Recorder, *kinds: type[events.Body]) -> list[events.Body]:
    return [e.body for e in history.read(recorder.path) if isinstance(e.body, kinds)]


def test_lists_then_changes_and_no_heartbeats(
    tmp_path: Path, recorder: history.Recorder, api: Api
) -> None:
    configs = {"server-1": kubeconfig(tmp_path / "k", api.port)}
    with ApiWatch(recorder, configs, namespace="grid") as watch:
        watch.wait_synced(limit_s=10)
        api.tell("nodes", "MODIFIED", node(version="11"))  # a heartbeat: nothing new
        api.tell("nodes", "BOOKMARK", {"metadata": {"resourceVersion": "12"}})
        api.tell("nodes", "MODIFIED", node(ready="Unknown", version="13"))
        api.tell("pods", "DELETED", pod(version="14"))
        eventually(
            lambda: len(told(recorder, events.NodeSeen, events.PodSeen, events.PodGone)) == 4
        )
    assert [n.ready for n in told(recorder, events.NodeSeen)] == ["True", "Unknown"]
    assert told(recorder, events.PodGone) == [events.PodGone(name="pdc-a", uid="a", via="server-1")]
    assert any("/api/v1/namespaces/grid/pods" in path for path in api.asked)


def test_a_watch_that_ends_goes_on_where_it_was(
    tmp_path: Path, recorder: history.Recorder, api: Api
) -> None:
    configs = {"server-1": kubeconfig(tmp_path / "k", api.port)}
    with ApiWatch(recorder, configs, namespace="grid") as watch:
        watch.wait_synced(limit_s=10)
        api.tell("nodes", "BOOKMARK", {"metadata": {"resourceVersion": "77"}})
        api.changes["nodes"].put(None)
        api.tell("nodes", "MODIFIED", node(ready="False", version="78"))
        eventually(lambda: len(told(recorder, events.NodeSeen)) == 2)
    assert any("nodes" in path and "resourceVersion=77" in path for path in api.asked)
    assert sum("nodes" in path and "watch=True" not in path for path in api.asked) == 1


def test_a_forgotten_version_means_a_new_list_that_tells_what_is_gone(
    tmp_path: Path, recorder: history.Recorder, api: Api
) -> None:
    configs = {"server-1": kubeconfig(tmp_path / "k", api.port)}
    with ApiWatch(recorder, configs, namespace="grid") as watch:
        watch.wait_synced(limit_s=10)
        api.lists["pods"] = [pod(uid="b")]
        api.changes["pods"].put({"type": "ERROR", "object": {"code": 410, "message": "too old"}})
        eventually(lambda: len(told(recorder, events.PodGone)) == 1)
    assert [p.uid for p in told(recorder, events.PodSeen)] == ["a", "b"]


def test_each_server_is_asked_for_itself(
    tmp_path: Path, recorder: history.Recorder, api: Api
) -> None:
    """One server is gone from the start; the other's news come all the same."""
    gone = Api()
    gone.close()
    configs = {
        "server-1": kubeconfig(tmp_path / "gone", gone.port),
        "server-2": kubeconfig(tmp_path / "here", api.port),
    }
    with ApiWatch(recorder, configs, namespace="grid") as watch:
        watch.wait_synced(limit_s=10)
    assert {n.via for n in told(recorder, events.NodeSeen)} == {"server-2"}


def test_a_server_that_dies_is_lost_and_found_again(
    tmp_path: Path, recorder: history.Recorder
) -> None:
    first = Api()
    configs = {"server-1": kubeconfig(tmp_path / "k", first.port)}
    with ApiWatch(recorder, configs, namespace="grid") as watch:
        watch.wait_synced(limit_s=10)
        first.close()
        lost = events.WatchState(kind="nodes", via="server-1", state="lost")
        eventually(lambda: lost in [blank(w) for w in told(recorder, events.WatchState)])
        second = Api(first.port)
        listening = events.WatchState(kind="nodes", via="server-1", state="listening")
        eventually(lambda: told(recorder, events.WatchState).count(listening) == 2)
        second.tell("nodes", "MODIFIED", node(ready="Unknown", version="20"))
        eventually(lambda: told(recorder, events.NodeSeen)[-1].ready == "Unknown")
    second.close()


def blank(state: events.WatchState) -> events.WatchState:
    return dataclasses.replace(state, why="")


def test_nobody_there_is_a_clear_time_out(tmp_path: Path, recorder: history.Recorder) -> None:
    gone = Api()
    gone.close()
    configs = {"server-1": kubeconfig(tmp_path / "k", gone.port)}
    with (
        ApiWatch(recorder, configs, namespace="grid") as watch,
        pytest.raises(TimeoutError, match=r"limit 1 s.*server-1.*refused"),
    ):
        watch.wait_synced(limit_s=1)


def test_stop_does_not_wait_for_a_silent_server(
    tmp_path: Path, recorder: history.Recorder, api: Api
) -> None:
    configs = {"server-1": kubeconfig(tmp_path / "k", api.port)}
    watch = ApiWatch(recorder, configs, namespace="grid").start()
    watch.wait_synced(limit_s=10)
    time.sleep(0.2)
    began = time.monotonic()
    watch.stop()
    assert time.monotonic() - began < 2


def test_a_broken_kubeconfig_becomes_a_note(tmp_path: Path, recorder: history.Recorder) -> None:
    (tmp_path / "k").write_text("not: a kubeconfig\n")
    with ApiWatch(recorder, {"server-1": tmp_path / "k"}, namespace="grid"):
        eventually(lambda: len(told(recorder, events.Note)) >= 1)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (pod(), {"ready": True, "running": True, "scheduled": True, "restarts": 0}),
        (pod(containerStatuses=None), {"running": False, "restarts": 0}),
        (
            pod(containerStatuses=[{"restartCount": 3, "state": {"waiting": {}}}]),
            {"running": False, "restarts": 3},
        ),
        (pod(conditions=None), {"ready": False}),
        ({"metadata": {"name": "n", "uid": "u"}}, {"node": "", "app": "", "phase": "Unknown"}),
        (
            {"metadata": {"name": "n", "uid": "u", "deletionTimestamp": "x", "labels": None}},
            {"deleting": True, "scheduled": False, "running": False},
        ),
    ],
)
def test_what_a_pod_says(thing: Json, expected: dict[str, object]) -> None:
    seen = objects.pod_seen(thing, via="server-1")
    assert {name: getattr(seen, name) for name in expected} == expected


def test_what_a_node_without_conditions_says() -> None:
    seen = objects.node_seen({"metadata": {"name": "n"}}, via="server-1")
    assert (seen.ready, seen.reason) == ("Unknown", "")
