"""What can stand in a history: one frozen class per event, its fields as they are written.

An event says what was seen, never what follows from it. `source` and `event` of a
class are the two words by which a line of `history.jsonl` names it:

| source   | event         | class                | written when                                   |
|----------|---------------|----------------------|------------------------------------------------|
| harness  | case_start    | CaseStart            | a case begins, before its fault                |
| harness  | case_end      | CaseEnd              | a case ended, after its fault was healed       |
| harness  | note          | Note                 | the harness has something to tell the reader   |
| harness  | load          | Load                 | a case begins or ends                          |
| fault    | start         | FaultStart           | the fault is about to be applied               |
| fault    | in_force      | FaultInForce         | the fault took effect (`t_ns` is that moment)  |
| fault    | stop          | FaultStop            | healing begins                                 |
| fault    | healed        | FaultHealed          | the fault is gone, verified                    |
| api      | node          | NodeSeen             | a watcher learnt a node's condition            |
| api      | pod           | PodSeen              | a watcher learnt a pod's state                 |
| api      | pod_gone      | PodGone              | a watcher learnt that a pod was removed        |
| api      | watch         | WatchState           | a watcher began to listen, or lost its server  |
| consumer | connect       | ConsumerConnected    | the consumer has a TCP connection              |
| consumer | refused       | ConsumerRefused      | the consumer got no connection                 |
| consumer | configuration | StreamConfigured     | the stream's configuration frame came          |
| consumer | frame         | FrameArrived         | a data frame came                              |
| consumer | disconnect    | ConsumerDisconnected | the connection ended, or was given up as dead  |
| sql      | acknowledged  | RowAcknowledged      | the database acknowledged a row                |
| sql      | error         | SqlFailed            | a connection or a row failed                   |
| sql      | checked       | SqlChecked           | all rows were read back                        |
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

from measurements.windows import Window, Windows

Recovery = Literal["replacement", "restart"]
"""Another pod takes over (another uid), or the same pod's container starts again."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What one kind of event says."""

    source: ClassVar[str]
    event: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class CaseStart(Body):
    """A case begins; what it measures and what it expects are recorded before it acts."""

    source = "harness"
    event = "case_start"
    title: str
    """One sentence for the report: what is broken."""
    app: str
    """`app.kubernetes.io/name` of the pod whose recovery is measured."""
    recovery: Recovery
    """How that pod recovers."""
    published: str | None = None
    """Key of the published value that the case is compared with; None for no such value."""
    windows: Windows = field(default_factory=dict)
    """Stage -> the window that the timer profile predicts."""


@dataclass(frozen=True, kw_only=True)
class CaseEnd(Body):
    """A case ended."""

    source = "harness"
    event = "case_end"
    outcome: Literal["passed", "failed", "aborted"]
    """What the test found; `aborted` where it was interrupted before it could tell."""
    message: str = ""
    """For a failure: the assertion's text."""


@dataclass(frozen=True, kw_only=True)
class Note(Body):
    """A remark of the harness, printed with its case."""

    source = "harness"
    event = "note"
    text: str
    """One sentence."""


@dataclass(frozen=True, kw_only=True)
class Load(Body):
    """How busy the control machine is; with container nodes that is every node's machine."""

    source = "harness"
    event = "load"
    one_minute: float
    """Load average over one minute: processes that run or want to."""
    cores: int
    """Processor cores that they share."""


@dataclass(frozen=True, kw_only=True)
class FaultBody(Body):
    """What every event of a fault says."""

    source = "fault"
    fault: str
    """The fault's name, such as `isolate`."""
    target: str
    """What it is applied to: a node's name, or namespace/pod."""
    lasts: bool
    """Whether it stays in force until it is healed, or strikes once."""
    breaks_node: str | None
    """The node whose loss the cluster has to notice; None where every node stays whole."""


@dataclass(frozen=True, kw_only=True)
class FaultStart(FaultBody):
    """The fault is about to be applied."""

    event = "start"


@dataclass(frozen=True, kw_only=True)
class FaultInForce(FaultBody):
    """The fault took effect; `t_ns` is that moment, from which all intervals count."""

    event = "in_force"


@dataclass(frozen=True, kw_only=True)
class FaultStop(FaultBody):
    """Healing begins; what follows is no longer the fault's doing."""

    event = "stop"


@dataclass(frozen=True, kw_only=True)
class FaultHealed(FaultBody):
    """The fault is gone, and that was verified."""

    event = "healed"


@dataclass(frozen=True, kw_only=True)
class NodeSeen(Body):
    """A node's Ready condition, as one API server told it."""

    source = "api"
    event = "node"
    name: str
    """The node's name."""
    ready: str
    """Status of the condition Ready: `True`, `False` or `Unknown`."""
    reason: str
    """The condition's reason, such as `NodeStatusUnknown`."""
    via: str
    """The server whose API told it."""


@dataclass(frozen=True, kw_only=True)
class PodSeen(Body):
    """A pod's state, as one API server told it."""

    source = "api"
    event = "pod"
    name: str
    """The pod's name."""
    uid: str
    """Its uid: a replacement has another one, a restarted container's pod the same."""
    node: str
    """The node it is assigned to; empty before that."""
    app: str
    """Its label `app.kubernetes.io/name`."""
    phase: str
    """`Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`."""
    ready: bool
    """Condition Ready is True."""
    scheduled: bool
    """A node is assigned."""
    running: bool
    """Every container of it runs."""
    restarts: int
    """Restarts of all its containers together."""
    deleting: bool
    """Its deletion was asked for (it has a deletionTimestamp)."""
    via: str
    """The server whose API told it."""


@dataclass(frozen=True, kw_only=True)
class PodGone(Body):
    """A pod was removed from the API."""

    source = "api"
    event = "pod_gone"
    name: str
    """The pod's name."""
    uid: str
    """Its uid."""
    via: str
    """The server whose API told it."""


@dataclass(frozen=True, kw_only=True)
class WatchState(Body):
    """A watcher began to listen to its server, or lost it."""

    source = "api"
    event = "watch"
    kind: Literal["nodes", "pods"]
    """What it watches."""
    via: str
    """The server it asks."""
    state: Literal["listening", "lost"]
    """Whether events can be expected from it."""
    why: str = ""
    """For a lost watch: the error."""


@dataclass(frozen=True, kw_only=True)
class ConsumerConnected(Body):
    """The consumer has a TCP connection (this does not mean that anything answers)."""

    source = "consumer"
    event = "connect"
    address: str
    """`host:port`."""


@dataclass(frozen=True, kw_only=True)
class ConsumerRefused(Body):
    """The consumer got no connection."""

    source = "consumer"
    event = "refused"
    address: str
    """`host:port`."""
    why: str
    """The error."""


@dataclass(frozen=True, kw_only=True)
class StreamConfigured(Body):
    """The stream's configuration frame came."""

    source = "consumer"
    event = "configuration"
    idcode: int
    """IDCODE of the stream."""
    rate: float
    """Frames per second."""
    pmus: tuple[str, ...]
    """Station names, in the order of the data blocks."""


@dataclass(frozen=True, kw_only=True)
class FrameArrived(Body):
    """A data frame came; `t_ns` is its arrival."""

    source = "consumer"
    event = "frame"
    soc: int
    """Second of the frame's time stamp (UTC, seconds since 1970)."""
    fraction: float
    """Fraction of that second, in seconds: FRACSEC / TIME_BASE."""
    idcode: int
    """IDCODE of the stream."""
    stats: tuple[int, ...]
    """STAT of each PMU; bits 15-14 other than 00 say that its data are not to be used."""


@dataclass(frozen=True, kw_only=True)
class ConsumerDisconnected(Body):
    """The connection ended, or was given up as dead."""

    source = "consumer"
    event = "disconnect"
    address: str
    """`host:port`."""
    why: str
    """What ended it."""


@dataclass(frozen=True, kw_only=True)
class RowAcknowledged(Body):
    """The database acknowledged a row: it has to be there ever after."""

    source = "sql"
    event = "acknowledged"
    id: int
    """The row's primary key."""


@dataclass(frozen=True, kw_only=True)
class SqlFailed(Body):
    """A connection or a row failed."""

    source = "sql"
    event = "error"
    why: str
    """The error, with the address it came from."""


@dataclass(frozen=True, kw_only=True)
class SqlChecked(Body):
    """All rows were read back after the fault."""

    source = "sql"
    event = "checked"
    acknowledged: int
    """Rows that had been acknowledged."""
    present: int
    """Acknowledged rows that were found."""
    missing: tuple[int, ...]
    """Primary keys of acknowledged rows that were not found."""


_BODIES: tuple[type[Body], ...] = (
    *(CaseStart, CaseEnd, Note, Load),
    *(FaultStart, FaultInForce, FaultStop, FaultHealed),
    *(NodeSeen, PodSeen, PodGone, WatchState),
    *(ConsumerConnected, ConsumerRefused, StreamConfigured, FrameArrived, ConsumerDisconnected),
    *(RowAcknowledged, SqlFailed, SqlChecked),
)
KINDS: Mapping[tuple[str, str], type[Body]] = {(b.source, b.event): b for b in _BODIES}
"""(source, event) -> the class that it is read as."""

_NAMES = {kind: tuple(item.name for item in fields(kind)) for kind in _BODIES}


def to_fields(body: Body) -> dict[str, Any]:
    """Return the fields of `body` as they are written."""
    values = {name: getattr(body, name) for name in _NAMES[type(body)]}
    if isinstance(body, CaseStart):
        values["windows"] = {stage: asdict(window) for stage, window in body.windows.items()}
    return values


def from_fields(source: str, event: str, values: Mapping[str, Any]) -> Body | None:
    """Return the body that `values` describe; None for an event that this version does not know.

    Fields that this version does not know are left out; a missing one raises TypeError,
    a window that is none KeyError or ValueError.
    """
    kind = KINDS.get((source, event))
    if kind is None:
        return None
    known = {name: values[name] for name in _NAMES[kind] if name in values}
    if kind is CaseStart and "windows" in known:
        known["windows"] = {
            stage: Window.from_json(window) for stage, window in known["windows"].items()
        }
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})
