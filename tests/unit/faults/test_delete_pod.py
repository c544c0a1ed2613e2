"""The deletion of a pod, against an API that keeps one pod."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException

from lab.console.errors import LabError
from lab.faults.delete_pod import DeletePod
from lab.nodes.node import Node, Ssh


class Api:
    """One pod, as much of the API as the fault asks."""

    def __init__(self, *, obeys: bool = True) -> None:
        self.pod: Any = SimpleNamespace(
            metadata=SimpleNamespace(uid="first", deletion_timestamp=None)
        )
        self.obeys = obeys
        self.asked: Any = None

    def read_namespaced_pod(self, name: str, namespace: str) -> Any:
        if self.pod is None:
            raise ApiException(status=404)
        return self.pod

    def delete_namespaced_pod(self, name: str, namespace: str, *, body: Any) -> None:
        self.asked = body
        if self.obeys:
            self.pod.metadata.deletion_timestamp = datetime.now(UTC)


def fault(api: Api) -> DeletePod:
    ssh = Ssh(key=Path("none"), known_hosts=Path("none"))
    node = Node(name="server-1", cluster="x", role="server", address="10.9.8.7", ssh=ssh)
    return DeletePod(api=api, node=node, namespace="grid", pod="mysql-1", uid="first", grace_s=3)


def test_exactly_this_pod_is_deleted_with_the_grace_it_was_given() -> None:
    api = Api()
    deletion = fault(api)
    deletion.prepare(1)
    deletion.start()
    deletion.verify()
    assert api.asked.preconditions.uid == "first"
    assert api.asked.grace_period_seconds == 3


def test_a_pod_that_went_away_at_once_counts_as_deleted() -> None:
    api = Api()
    api.pod = None
    fault(api).verify()


@pytest.mark.parametrize("uid", ["second", None])
def test_another_pod_of_that_name_is_refused(uid: str | None) -> None:
    api = Api()
    if uid is None:
        api.pod.metadata.deletion_timestamp = datetime.now(UTC)
    else:
        api.pod.metadata.uid = uid
    with pytest.raises(LabError, match="not there any more"):
        fault(api).prepare(1)


def test_a_deletion_without_effect_is_noticed() -> None:
    api = Api(obeys=False)
    deletion = fault(api)
    deletion.start()
    with pytest.raises(LabError, match="still there"):
        deletion.verify()
