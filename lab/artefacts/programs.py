"""The Go programs that a lab is built of, with the versions that their go.mod files pin."""

import re

from lab.artefacts.golang import Program, module_version
from lab.config.files import IMAGES
from lab.console.errors import LabError

KUBERNETES = "k8s.io/kubernetes"
PAUSE_VERSION = "3.10.1"
"""The version of pause that kubeadm 1.34 names; our own pause stands in for it."""


def kubernetes(wanted: str) -> Program:
    """Return upstream Kubernetes `wanted` as one binary.

    Any patch release of the minor version that go.mod pins; LabError for others, whose programs
    and modules may be others.
    """
    folder = IMAGES / "kubernetes"
    pinned = module_version(folder, KUBERNETES)
    minor, _, patch = pinned.rpartition(".")
    if wanted.rpartition(".")[0] != minor:
        raise LabError(
            f"lab_kubernetes_version is {wanted}, and this kit builds the patch releases of "
            f"{minor} alone (images/kubernetes/go.mod pins {pinned}).",
            f"Set it to {pinned}, or to another {minor}.N; other minor versions come with other "
            "releases of the kit.",
        )
    major, minor_number = re.findall(r"\d+", wanted)[:2]
    # The modules of its tree have a version of their own, with the same patch number.
    tree = rf"(k8s\.io/\S+ v[01]\.{minor_number})\.{patch}(?!\S)"
    moved = (tree, rf"\g<1>.{wanted.rpartition('.')[2]}")
    stamp = "k8s.io/component-base/version"
    values = {
        "gitVersion": wanted,
        "gitMajor": major,
        "gitMinor": minor_number,
        "gitTreeState": "clean",
        "gitCommit": "unknown",
    }
    return Program(
        name="kubernetes",
        version=wanted,
        folder=folder,
        module=KUBERNETES,
        setting="lab_kubernetes_version",
        moved=moved if wanted != pinned else ("", ""),
        ldflags=" ".join(f"-X {stamp}.{key}={value}" for key, value in values.items()),
    )


def etcd() -> Program:
    """Return the etcd server and etcdctl as one binary."""
    folder = IMAGES / "etcd"
    version = module_version(folder, "go.etcd.io/etcd/server/v3").removeprefix("v")
    return Program(name="etcd", version=version, folder=folder)


def coredns() -> Program:
    """Return CoreDNS."""
    folder = IMAGES / "coredns"
    version = module_version(folder, "github.com/coredns/coredns").removeprefix("v")
    return Program(name="coredns", version=version, folder=folder)


def flannel() -> Program:
    """Return flanneld; its udp back end needs C, so it is linked statically with it."""
    folder = IMAGES / "flannel"
    module = "github.com/flannel-io/flannel"
    version = module_version(folder, module)
    return Program(
        name="flannel",
        version=version.removeprefix("v"),
        folder=folder,
        package=module,
        ldflags=f"-extldflags -static -X {module}/pkg/version.Version={version}",
        tags="netgo,osusergo",
        cgo=True,
    )


def flannel_cni() -> Program:
    """Return the CNI plug-in of flannel, as the last release of the CNI plug-ins had it."""
    folder = IMAGES / "flannel-cni"
    module = "github.com/containernetworking/plugins"
    version = module_version(folder, module)
    return Program(
        name="flannel-cni",
        version=version.removeprefix("v"),
        folder=folder,
        package=f"{module}/plugins/meta/flannel",
        ldflags=f"-X {module}/pkg/utils/buildversion.BuildVersion={version}",
    )


def local_path() -> Program:
    """Return Rancher's local-path-provisioner."""
    folder = IMAGES / "local-path"
    module = "github.com/rancher/local-path-provisioner"
    version = module_version(folder, module)
    return Program(
        name="local-path",
        version=version.removeprefix("v"),
        folder=folder,
        package=module,
        ldflags=f"-X main.VERSION={version}",
    )


def pause() -> Program:
    """Return pause, the process of a pod's own container."""
    return Program(name="pause", version=PAUSE_VERSION, folder=IMAGES / "pause")
