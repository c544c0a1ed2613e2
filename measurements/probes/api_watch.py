"""Watches of nodes and pods through every API server at once.

A server that is cut off reports nothing, or old states; the others report its loss. So each
server has watchers of its own, and none of them depends on another's server.
"""

import contextlib
import functools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import urllib3
from kubernetes import client, config

from measurements import events, history
from measurements.probes import objects
from measurements.probes.probe import Probe

CONNECT_TIMEOUT_S = 1.0
"""A server that does not accept a connection for this long is lost."""
WATCH_S = 10
"""Length of one watch request; the next goes on where it ended."""
READ_TIMEOUT_S = WATCH_S + 2.0
"""A watch that is silent for this long, beyond its own end, hangs on a dead connection."""
PAUSE_S = 0.5
"""Time before a lost server is asked again."""

Kind = Literal["nodes", "pods"]


class Response(Protocol):
    """What is used of urllib3's response."""

    def stream(self) -> Iterator[bytes]:
        """Yield the body as it arrives."""

    def read(self) -> bytes:
        """Return the whole body."""

    def close(self) -> None:
        """Close the connection."""


class ExpiredError(Exception):
    """The server has forgotten the version that a watch was to go on from."""


class ApiWatch(Probe):
    """Records each change of a node's readiness and of a pod's state, as each server reports it.

    `kubeconfigs` gives for each server's name a kubeconfig that reaches that server
    and no other; pods are those of `namespace`.
    """

    def __init__(
        self, recorder: history.Recorder, kubeconfigs: Mapping[str, Path], *, namespace: str
    ) -> None:
        super().__init__(recorder, name="api-watch")
        self._kubeconfigs = dict(kubeconfigs)
        self._namespace = namespace
        self._open: set[Response] = set()
        self._lock = threading.Lock()
        self._synced: set[tuple[str, Kind]] = set()
        self._last_failure = "no server was asked yet"

    def wait_synced(self, *, limit_s: float = 20.0) -> None:
        """Wait until one server has listed nodes and pods; TimeoutError with the last failure."""
        self._wait_until(
            lambda: any(
                {(server, "nodes"), (server, "pods")} <= self._synced
                for server in self._kubeconfigs
            ),
            limit_s=limit_s,
            what="a list of nodes and pods from any server",
            evidence=lambda: f"last: {self._last_failure}",
        )

    def _jobs(self) -> Sequence[Callable[[], None]]:
        kinds: tuple[Kind, ...] = ("nodes", "pods")
        return [
            functools.partial(self._watch, server, kubeconfig, kind)
            for server, kubeconfig in self._kubeconfigs.items()
            for kind in kinds
        ]

    def _interrupt(self) -> None:
        with self._lock:
            for response in self._open:
                shutdown = getattr(response, "shutdown", None)  # urllib3 2.3 and newer
                if shutdown:
                    with contextlib.suppress(Exception):
                        shutdown()

    def _watch(self, server: str, kubeconfig: Path, kind: Kind) -> None:
        """List, then watch on from there; after a failure, from where it stopped if possible."""
        ask = _asker(kubeconfig, kind, self._namespace)
        seen = SeenObjects(self._record, server, kind)
        version = ""
        listening = False
        while not self._stopped.is_set():
            try:
                if not version:
                    version = self._list(ask, seen)
                    self._synced.add((server, kind))
                if not listening:
                    self._record(events.WatchState(kind=kind, via=server, state="listening"))
                    listening = True
                version = self._follow(ask, seen, version)
            except ExpiredError:
                version = ""
            except (client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
                version = "" if getattr(error, "status", None) == 410 else version
                why = " ".join(str(error).split())[:300]
                self._last_failure = f"{server}: {why}"
                if listening:
                    self._record(events.WatchState(kind=kind, via=server, state="lost", why=why))
                listening = False
                self._stopped.wait(PAUSE_S)

    def _list(self, ask: Callable[..., Response], seen: "SeenObjects") -> str:
        with self._opened(ask(_request_timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S))) as response:
            listed = json.loads(response.read())
        seen.everything(listed["items"])
        return str(listed["metadata"]["resourceVersion"])

    def _follow(self, ask: Callable[..., Response], seen: "SeenObjects", version: str) -> str:
        """Take the events of one watch request; return the version that it got to."""
        request = ask(
            watch=True,
            resource_version=version,
            allow_watch_bookmarks=True,
            timeout_seconds=WATCH_S,
            _request_timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        )
        with self._opened(request) as response:
            for line in _lines(response):
                t_ns = time.monotonic_ns()
                change = json.loads(line)
                if change["type"] == "ERROR":
                    if change["object"].get("code") == 410:
                        raise ExpiredError
                    raise OSError(change["object"].get("message", "the watch failed"))
                version = change["object"]["metadata"]["resourceVersion"]
                if change["type"] != "BOOKMARK":
                    seen.changed(change["type"], change["object"], t_ns)
        return version

    @contextlib.contextmanager
    def _opened(self, response: Response) -> Iterator[Response]:
        with self._lock:
            self._open.add(response)
        try:
            yield response
        finally:
            with self._lock:
                self._open.discard(response)
            response.close()


class SeenObjects:
    """What one watcher has seen of each object, so that it records changes, not heartbeats."""

    def __init__(self, record: Callable[..., None], server: str, kind: Kind) -> None:
        self._record = record
        self._server = server
        self._kind = kind
        self._last: dict[str, events.NodeSeen | events.PodSeen] = {}

    def changed(self, change: str, thing: objects.Json, t_ns: int) -> None:
        """Record an ADDED, MODIFIED or DELETED object, if that says anything new."""
        uid = thing["metadata"]["uid"]
        if change == "DELETED":
            self._gone(uid, thing["metadata"]["name"], t_ns)
            return
        build = objects.node_seen if self._kind == "nodes" else objects.pod_seen
        seen = build(thing, via=self._server)
        if self._last.get(uid) != seen:
            self._last[uid] = seen
            self._record(seen, t_ns=t_ns)

    def everything(self, things: Sequence[objects.Json]) -> None:
        """Record a whole list: what changed, and what is no longer there."""
        t_ns = time.monotonic_ns()
        for thing in things:
            self.changed("MODIFIED", thing, t_ns)
        present = {thing["metadata"]["uid"] for thing in things}
        for uid in self._last.keys() - present:
            self._gone(uid, self._last[uid].name, t_ns)

    def _gone(self, uid: str, name: str, t_ns: int) -> None:
        self._last.pop(uid, None)
        if self._kind == "pods":
            self._record(events.PodGone(name=name, uid=uid, via=self._server), t_ns=t_ns)


def _asker(kubeconfig: Path, kind: Kind, namespace: str) -> Callable[..., Response]:
    """Return the function that lists or watches, without the client's own retries.

    The answers stay JSON: building the client's models of every pod costs more than
    the whole probe.
    """
    settings = client.Configuration()
    config.load_kube_config(config_file=str(kubeconfig), client_configuration=settings)
    settings.retries = False
    settings.proxy = None  # the nodes of a lab are never behind one
    api = client.CoreV1Api(client.ApiClient(settings))
    ask: Callable[..., Any] = (
        api.list_node
        if kind == "nodes"
        else functools.partial(api.list_namespaced_pod, namespace=namespace)
    )
    return functools.partial(ask, _preload_content=False)


def _lines(response: Response) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream():
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)
