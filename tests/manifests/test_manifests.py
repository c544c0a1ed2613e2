"""The manifests, as kubectl builds them, against what the rest of the kit counts on."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import jinja2
import pytest
import yaml

from grid.pdc.topology import document
from grid.pmu.scenario import document as scenario
from lab.cluster.endpoints import MYSQL_PORT, STREAM_ENDPOINTS
from tests.manifests.built import ROLE, ROOT, WORKLOADS, Object, containers, kubectl, of_kind


def test_the_whole_deployment_of_the_thesis_is_there(objects: list[Object]) -> None:
    components = Counter(
        deployment["metadata"]["labels"]["app.kubernetes.io/component"]
        for deployment in of_kind(objects, "Deployment").values()
    )
    assert components == {"database": 1, "pmu": 3, "pdc": 2}


def test_every_object_is_in_the_namespace_grid(objects: list[Object]) -> None:
    outside = [o["metadata"]["name"] for o in objects if o["metadata"].get("namespace") != "grid"]
    assert outside == ["grid"], "only the namespace itself is in none"


def test_clients_outside_find_the_node_ports_where_the_kit_looks(objects: list[Object]) -> None:
    open_ports = {
        name: service["spec"]["ports"][0].get("nodePort")
        for name, service in of_kind(objects, "Service").items()
    }
    expected = {endpoint.name: endpoint.port for endpoint in STREAM_ENDPOINTS} | {
        "mysql": MYSQL_PORT
    }
    assert {name: port for name, port in open_ports.items() if port} == expected


def test_each_service_selects_the_pods_of_its_own_name_only(objects: list[Object]) -> None:
    pods = {
        name: deployment["spec"]["template"]["metadata"]["labels"]
        for name, deployment in of_kind(objects, "Deployment").items()
    }
    for name, service in of_kind(objects, "Service").items():
        wanted = service["spec"]["selector"].items()
        assert [pod for pod, labels in pods.items() if wanted <= labels.items()] == [name]


def test_each_deployment_runs_one_pod_that_is_gone_before_the_next_comes(
    objects: list[Object],
) -> None:
    for deployment in of_kind(objects, "Deployment").values():
        assert deployment["spec"]["replicas"] == 1
        assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_the_reaction_to_a_lost_node_is_left_to_the_api_server(objects: list[Object]) -> None:
    for name, deployment in of_kind(objects, "Deployment").items():
        assert "tolerations" not in deployment["spec"]["template"]["spec"], name


def test_probes_cost_no_process(objects: list[Object]) -> None:
    for name, container in containers(objects):
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert "exec" not in container.get(probe, {}), f"{name}: {probe}"


def test_images_are_those_that_the_role_fills_in_and_are_never_pulled_anew(
    objects: list[Object], foreign: tuple[str, ...]
) -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    found = {container["image"] for _, container in containers(objects)}
    assert found == {*defaults["workloads_images"], *(f"blackstart/{name}" for name in foreign)}
    assert {container["imagePullPolicy"] for _, container in containers(objects)} == {
        "IfNotPresent"
    }


def test_only_init_containers_and_the_database_know_roots_password(objects: list[Object]) -> None:
    knowing = {
        container["name"]
        for _, container in containers(objects)
        for variable in container.get("env", [])
        if variable.get("valueFrom", {}).get("secretKeyRef", {}).get("key") == "root-password"
    }
    assert knowing == {"init", "mysql"}


def test_the_role_generates_every_password_that_is_asked_for(objects: list[Object]) -> None:
    asked = {
        variable["valueFrom"]["secretKeyRef"]["key"]
        for _, container in containers(objects)
        for variable in container.get("env", [])
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    script = (ROLE / "files" / "passwords.sh").read_text()
    lines = [line for line in script.splitlines() if "$(password)" in line]
    generated = {line.split(":")[0].strip() for line in lines}
    assert generated == asked


def test_the_database_keeps_its_files_on_the_claim_that_role_storage_serves(
    objects: list[Object],
) -> None:
    storage = ROOT / "playbooks" / "roles" / "storage" / "defaults" / "main.yml"
    volume = yaml.safe_load(storage.read_text())["storage_volumes"][0]
    claim = of_kind(objects, "PersistentVolumeClaim")[volume["name"]]
    assert claim["metadata"]["namespace"] == volume["namespace"]
    assert claim["spec"]["resources"]["requests"]["storage"] == volume["size"]
    pod = of_kind(objects, "Deployment")["mysql"]["spec"]["template"]["spec"]
    user = pod["securityContext"]
    assert (user["runAsUser"], user["runAsGroup"]) == (volume["uid"], volume["gid"])
    assert {"persistentVolumeClaim": {"claimName": volume["name"]}, "name": "data"} in pod[
        "volumes"
    ]


def test_only_the_second_level_pdc_is_let_onto_the_worker(objects: list[Object]) -> None:
    """Tables 6.9 and 6.10: the worker has one of the six pods."""
    bound = {
        name
        for name, deployment in of_kind(objects, "Deployment").items()
        if "requiredDuringSchedulingIgnoredDuringExecution"
        in deployment["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    }
    assert bound == of_kind(objects, "Deployment").keys() - {"pdc-higher"}


@pytest.mark.parametrize("level", ["lower", "higher"])
def test_topologies_say_what_the_manifests_say(
    objects: list[Object], foreign: tuple[str, ...], level: str
) -> None:
    text = (WORKLOADS / "base" / f"pdc-{level}" / "topology.yml").read_text()
    topology = document.loads(text)
    services = of_kind(objects, "Service")
    for source in topology.inputs:
        assert services[source.address.host]["spec"]["ports"][0]["port"] == source.address.port
    deployment = of_kind(objects, "Deployment")[f"pdc-{level}"]
    serve = deployment["spec"]["template"]["spec"]["containers"][0]
    assert "openpdc" in foreign or f"--port={topology.stream.address.port}" in serve["args"]
    assert serve["ports"][0]["containerPort"] == topology.stream.address.port
    endpoint = next(endpoint for endpoint in STREAM_ENDPOINTS if endpoint.name == f"pdc-{level}")
    assert (topology.node, topology.stream.idcode) == (endpoint.name, endpoint.idcode)


def test_the_pdc_expects_the_pmus_under_the_ids_that_they_send(objects: list[Object]) -> None:
    lower = document.loads((WORKLOADS / "base" / "pdc-lower" / "topology.yml").read_text())
    higher = document.loads((WORKLOADS / "base" / "pdc-higher" / "topology.yml").read_text())
    simulated = {pmu.name: pmu.channels.station for pmu in scenario.load("two-area").pmus}
    deployed = [name for name in of_kind(objects, "Deployment") if name.startswith("pmu-")]
    sent = {name: (simulated[name].idcode, simulated[name].phasors) for name in deployed}
    assert {
        pmu.name: (pmu.idcode, tuple(phasor.label for phasor in pmu.phasors)) for pmu in lower.pmus
    } == sent
    assert lower.pmus == higher.pmus


LONGHORN = """
apiVersion: v1
kind: ConfigMap
metadata: {name: longhorn-default-setting, namespace: longhorn-system}
data:
  default-setting.yaml: |-
    priority-class: "longhorn-critical"
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: longhorn-driver-deployer, namespace: longhorn-system}
spec:
  template:
    spec:
      containers:
        - {name: longhorn-driver-deployer, env: [{name: NODE_NAME, value: x}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: longhorn-ui, namespace: longhorn-system}
spec: {replicas: 2}
"""
"""The objects of Longhorn's manifest that the role changes, in its shape."""


def test_longhorn_gets_the_roles_settings(tmp_path: Path) -> None:
    storage = ROLE.parent / "storage"
    defaults = yaml.safe_load((storage / "defaults" / "main.yml").read_text())
    text = (storage / "templates" / "longhorn_kustomization.yaml.j2").read_text()
    environment = jinja2.Environment(trim_blocks=True, autoescape=False)  # noqa: S701 - as Ansible
    environment.filters["to_json"] = json.dumps
    (tmp_path / "longhorn.yaml").write_text(LONGHORN)
    (tmp_path / "kustomization.yaml").write_text(environment.from_string(text).render(defaults))
    (tmp_path / "bin").mkdir()
    argv = [*kubectl(tmp_path / "bin"), "kustomize", tmp_path]
    built = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    found = {thing["metadata"]["name"]: thing for thing in yaml.safe_load_all(built.stdout)}
    settings = found["longhorn-default-setting"]["data"]["default-setting.yaml"]
    assert yaml.safe_load(settings) == defaults["storage_longhorn_settings"]
    assert found["longhorn-ui"]["spec"]["replicas"] == 0
    pod = found["longhorn-driver-deployer"]["spec"]["template"]["spec"]
    counts = [v for v in pod["containers"][0]["env"] if v["name"].endswith("_REPLICA_COUNT")]
    assert [v["value"] for v in counts] == ["1"] * 4
