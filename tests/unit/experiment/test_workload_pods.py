"""The pods of the workloads, as the suite takes them for whole."""

from types import SimpleNamespace

import pytest

from experiment.workloads import pods


def pod(app, phase="Running", owner=True):
    ready = SimpleNamespace(type="Ready", status="True" if phase == "Running" else "False")
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name=f"{app}-{phase}",
            uid=f"{app}-{phase}",
            labels={"app.kubernetes.io/name": app},
            deletion_timestamp=None,
            owner_references=[SimpleNamespace(controller=True)] if owner else None,
        ),
        spec=SimpleNamespace(node_name="server-1"),
        status=SimpleNamespace(phase=phase, conditions=[ready], container_statuses=None),
    )


@pytest.mark.parametrize("first", [True, False])
def test_a_pod_that_failed_and_was_replaced_is_none_of_them(first):
    every = [pod(app) for app in pods.APPS]
    left = pod("pmu-1", phase="Failed")
    every = [left, *every] if first else [*every, left]
    cluster = SimpleNamespace(list_pods=lambda namespace: every)
    assert pods.missing(pods.of(cluster)) is None


def test_one_that_nobody_replaces_is_missing():
    every = [pod(app) for app in pods.APPS if app != "pmu-1"]
    cluster = SimpleNamespace(list_pods=lambda namespace: [*every, pod("pmu-1", phase="Failed")])
    assert pods.missing(pods.of(cluster)) == "no pod of pmu-1"
