"""The scripts of the role workloads, with a kubectl that a program stands in for."""

import base64
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.modules import loaded

FILES = Path(__file__).parents[2] / "playbooks" / "roles" / "workloads" / "files"
MANIFESTS = {
    "base/namespace.yaml": "kind: Namespace\n",
    "components/one/kustomization.yaml": "{}\n",
    "overlays/one/kustomization.yaml": "{}\n",
}
PARTS = ["base", "components", "overlays", "site"]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return loaded(FILES / "make_way.py")


def node(name: str, *taints: str) -> dict[str, Any]:
    spec = {"taints": [{"key": key} for key in taints]}
    return {"kind": "Node", "metadata": {"name": name}, "spec": spec}


def pod(name: str, *, seconds: int | None = 20, phase: str = "Running") -> dict[str, Any]:
    tolerated: dict[str, Any] = {"key": "node.kubernetes.io/unreachable"}
    if seconds is not None:
        tolerated["tolerationSeconds"] = seconds
    app = name.split("-", maxsplit=1)[0]
    labels = {"app.kubernetes.io/part-of": "grid", "app.kubernetes.io/name": app}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"tolerations": [tolerated]},
        "status": {"phase": phase},
    }


def test_nodes_that_take_no_pods_are_named(script: ModuleType) -> None:
    things = [node("a"), node("b", "node.kubernetes.io/not-ready"), node("c", "own/taint")]
    assert script.closed(things) == ["b (not-ready)"]
    assert script.closed([node("a")]) == []
    # A server that doesn't answer says nothing of the nodes.
    assert script.closed([]) == ["the API server names none"]


def test_pods_with_other_tolerations_are_outdated(script: ModuleType) -> None:
    things = [pod("mysql-1"), pod("pdc-1", seconds=2), pod("pmu-1", seconds=None)]
    assert script.outdated(things, 20) == ["pdc", "pmu"]
    assert script.outdated(things[:1], 20) == []


def test_a_pod_that_has_failed_goes_and_makes_nothing_outdated(script: ModuleType) -> None:
    things = [pod("mysql-1", seconds=2, phase="Failed"), pod("mysql-2")]
    assert script.failed(things) == ["mysql-1"]
    assert script.outdated(things, 20) == []


def test_what_a_user_runs_in_the_namespace_is_left_alone(script: ModuleType) -> None:
    stranger = pod("debug-1", seconds=2, phase="Failed")
    stranger["metadata"]["labels"] = {}
    assert script.failed([stranger]) == []
    assert script.outdated([stranger], 20) == []


def unpack(verb: str, directory: Path, overlay: str, manifests: dict[str, str]) -> list[str]:
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text in manifests.items():
            about = tarfile.TarInfo(name)
            about.size = len(text)
            tar.addfile(about, BytesIO(text.encode()))
    done = subprocess.run(
        ["bash", FILES / "unpack.sh", verb, directory, base64.b64encode(overlay.encode())],
        input=base64.b64encode(archive.getvalue()),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split()


def test_manifests_are_unpacked_once(tmp_path: Path) -> None:
    directory = tmp_path / "with space" / "workloads"
    assert unpack("do", directory, "kind: K\n", MANIFESTS) == PARTS
    assert (directory / "site" / "kustomization.yaml").read_text() == "kind: K\n"
    assert (directory / "base" / "namespace.yaml").stat().st_mode & 0o777 == 0o644
    assert unpack("do", directory, "kind: K\n", MANIFESTS) == []


def test_a_part_that_differs_is_replaced_whole(tmp_path: Path) -> None:
    unpack("do", tmp_path, "kind: K\n", MANIFESTS)
    (tmp_path / "base" / "left.yaml").touch()
    assert unpack("do", tmp_path, "kind: L\n", MANIFESTS) == ["base", "site"]
    assert not (tmp_path / "base" / "left.yaml").exists()
    assert (tmp_path / "site" / "kustomization.yaml").read_text() == "kind: L\n"


def test_a_look_replaces_nothing(tmp_path: Path) -> None:
    assert unpack("look", tmp_path / "new", "", MANIFESTS) == PARTS
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("there", "verb", "said", "made"),
    [
        ("", "do", True, ["Namespace", "Secret"]),
        ("namespace", "do", True, ["Secret"]),
        ("namespace secret", "do", False, []),
        ("", "look", True, []),
    ],
)
def test_passwords_are_made_where_there_are_none(
    tmp_path: Path, there: str, verb: str, said: bool, made: list[str]
) -> None:
    done = passwords(tmp_path, there, verb)
    assert bool(done.stdout) is said
    kinds = [line.split()[1] for line in created(tmp_path) if line.startswith("kind:")]
    assert kinds == made


def test_no_password_is_seen_and_no_two_are_equal(tmp_path: Path) -> None:
    done = passwords(tmp_path, "", "do")
    found = [line.split('"')[1] for line in created(tmp_path) if "-password:" in line]
    assert len(set(found)) == 3
    assert all(len(word) == 40 and word not in done.stdout for word in found)


def passwords(place: Path, there: str, verb: str) -> "subprocess.CompletedProcess[str]":
    """Run the script on a cluster that has what `there` names."""
    kubectl = place / "kubectl"
    kubectl.write_text(f"""#!/bin/bash
case "$*" in
  *"get secret"*) [[ "{there}" != *secret* ]] || echo secret/mysql;;
  *"get namespace"*) [[ "{there}" == *namespace* ]];;
  *"--filename -"*) cat >>{place}/created;;
  *--filename*) cat "${{@: -1}}" >>{place}/created;;
esac
""")
    kubectl.chmod(0o755)
    manifest = place / "namespace.yaml"
    manifest.write_text("kind: Namespace\n")
    text = (FILES / "passwords.sh").read_text().replace("/usr/local/bin/kubectl", str(kubectl))
    return subprocess.run(
        ["bash", "-c", text, "passwords.sh", verb, "kubeconfig", manifest],
        capture_output=True,
        text=True,
        check=True,
    )


def created(place: Path) -> list[str]:
    file = place / "created"
    return file.read_text().splitlines() if file.exists() else []
