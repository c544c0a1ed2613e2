"""The steady state: what must hold before a case begins, and again after it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubernetes import client
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from experiment.workloads import pods, replicas
from experiment.workloads.pods import WorkloadPod
from lab.cluster.api import KUBECONFIG_IN_NODE, NAMESPACE, is_ready, is_replaced
from lab.cluster.endpoints import FRAME_RATE
from lab.cluster.frames import frame_rates, not_flowing
from lab.cluster.lab import Lab
from lab.config.files import ROOT
from lab.console import progress
from lab.console.errors import LabError
from lab.console.progress import Progress
from measurements.probes.consumer import Consumer
from measurements.probes.sql_writer import SqlWriter

LIMIT_S = 180.0
"""How long a lab may take to become steady: a node's return, and its pods' restart."""
SETTLE_S = 10.0
"""How long rows and frames may take to come once everything is ready."""
EVIDENCE = ROOT / "playbooks/roles/workloads/files/evidence.sh"
"""Prints what explains pods that do not become ready; the role `workloads` uses it too."""
CURE = "Run `lab heal`, then `lab status`; `lab up` brings a lab back to what it should be."


@dataclass(frozen=True, kw_only=True)
class SteadyState:
    """Waits until a lab is whole."""

    lab: Lab
    """The lab."""
    consumer: Consumer
    """The consumer of the second-level PDC."""
    writer: SqlWriter
    """The writer of rows."""
    progress: Progress
    """Where the waiting is shown."""

    def wait(self, when: str) -> Mapping[str, WorkloadPod]:
        """Wait until nothing is missing, and return the pods by their app.

        Raises LabError with what is missing and what the cluster says about it.
        """
        with self.progress.step(f"Steady state {when}", limit_s=LIMIT_S) as step:
            progress.wait(
                f"a steady lab {when}",
                self._missing,
                limit_s=LIMIT_S,
                step=step,
                evidence=self.evidence,
                cure=CURE,
            )
        return pods.by_app(pods.of(self.lab.cluster))

    def move(
        self, app: str, why: str, wrong: Callable[[WorkloadPod], bool]
    ) -> Mapping[str, WorkloadPod]:
        """Replace the pod of `app` where it is `wrong`, then wait for the steady state.

        The scheduler puts it where it belongs: pods move to no other node by themselves
        when a node comes back.
        """
        found = self.wait("before the fault")
        if not wrong(found[app]):
            return found
        pod = found[app]
        self.progress.note(f"  {pod.name} on {pod.node} is replaced: {why}")
        client.CoreV1Api(self.lab.cluster.api()).delete_namespaced_pod(pod.name, NAMESPACE)
        found = self.wait("with a new pod")
        if wrong(found[app]):
            raise LabError(
                f"{found[app].name} on {found[app].node} is not as the case needs it: {why}.",
                "Look at its events with `lab kubectl describe pods -n grid`.",
                evidence=self.evidence(),
            )
        return found

    def evidence(self) -> str:
        """Return nodes, pods, warnings and the last lines of pods that are not ready."""
        server = self.lab.cluster.servers[0]
        asked = server.run(
            ["sh", "-s", "--", KUBECONFIG_IN_NODE],
            stdin=EVIDENCE.read_text(),
            timeout_s=120,
            check=False,
        )
        return asked.stdout + asked.stderr

    def _missing(self) -> str | None:
        for look in (self._nodes, self._pods, self._frames, self._rows, self._replicas):
            try:
                if missing := look():
                    return missing
            except (ApiException, HTTPError, LabError) as error:
                return str(error).splitlines()[0]
        return None

    def _nodes(self) -> str | None:
        """Ask every server: one that was away may still lack its etcd."""
        for server in self.lab.cluster.servers:
            core = client.CoreV1Api(self.lab.cluster.api_of(server.name))
            found = {node.metadata.name: node for node in core.list_node(_request_timeout=5).items}
            for node in self.lab.nodes:
                if node.name not in found or not is_ready(found[node.name]):
                    return f"{node.name} must be Ready, as {server.name} tells it"
        return None

    def _pods(self) -> str | None:
        if missing := pods.missing(pods.of(self.lab.cluster)):
            return missing
        for pod in self.lab.cluster.list_pods():
            over = pod.status.phase == "Succeeded" or is_replaced(pod)
            if not over and not is_ready(pod):
                return f"{pod.metadata.namespace}/{pod.metadata.name} must be ready"
        return None

    def _frames(self) -> str | None:
        if self.consumer.rate < 0.9 * FRAME_RATE:
            return f"the consumer sees {self.consumer.rate:.0f} frames/s"
        return not_flowing(frame_rates(self.lab.nodes))

    def _rows(self) -> str | None:
        try:
            self.writer.wait_for_rows(5, limit_s=SETTLE_S)
        except TimeoutError as error:
            return str(error)
        return None

    def _replicas(self) -> str | None:
        return replicas.behind(self.lab.cluster.servers[0])
