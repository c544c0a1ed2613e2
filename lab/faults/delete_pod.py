"""The fault `delete`: a pod is deleted through the API, and its controller makes another."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kubernetes.client import ApiException, V1DeleteOptions, V1Preconditions

from lab.console.errors import LabError
from lab.faults.traces import Trace
from lab.nodes.node import Node

NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True)
class DeletePod:
    """Delete one pod, and no other of its name."""

    name: ClassVar[str] = "delete"
    lasts: ClassVar[bool] = False
    traces: ClassVar[tuple[Trace, ...]] = ()
    api: Any
    """A `kubernetes.client.CoreV1Api`."""
    node: Node
    """The node it runs on, which tells whose cluster it is."""
    namespace: str
    """The pod's namespace."""
    pod: str
    """The pod's name."""
    uid: str
    """The pod's identity: another pod of that name is left alone."""
    grace_s: int | None = None
    """Seconds that the pod gets to end; None is what the pod itself asks for."""

    @property
    def target(self) -> str:
        """The pod, as namespace/name."""
        return f"{self.namespace}/{self.pod}"

    @property
    def breaks_node(self) -> None:
        """No node: the pod's node stays whole."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The node that runs the pod."""
        return (self.node,)

    def prepare(self, limit_s: float) -> None:
        """Check that the pod is there. There is no timer: a deleted pod stays deleted."""
        if not self._there():
            raise LabError(
                f"{self.target} is not there any more, or is being deleted.",
                "Run `lab status`, and wait until all pods are ready.",
            )

    def start(self) -> int:
        """Ask the API to delete it; the moment is that of the request.

        Watchers hear of the deletion before its answer is here.
        """
        asked_ns = time.monotonic_ns()
        self.api.delete_namespaced_pod(
            self.pod,
            self.namespace,
            body=V1DeleteOptions(
                grace_period_seconds=self.grace_s, preconditions=V1Preconditions(uid=self.uid)
            ),
        )
        return asked_ns

    def verify(self) -> None:
        """Raise LabError where the pod is neither gone nor being deleted."""
        if self._there():
            raise LabError(
                f"{self.target} was deleted, and is still there.",
                "Look for a webhook or finalizer that holds it: `lab kubectl get pods -o yaml`.",
            )

    def stop(self) -> None:
        """Do nothing: the pod's controller makes another."""

    def _there(self) -> bool:
        try:
            found = self.api.read_namespaced_pod(self.pod, self.namespace).metadata
        except ApiException as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return found.uid == self.uid and found.deletion_timestamp is None
