"""The Go programs of a kubeadm cluster, with the versions that their go.mod files pin."""

import re

from lab.artefacts.golang import Program, module_version
from lab.config.files import IMAGES
from lab.console.errors import LabError

PAUSE_VERSION = "3.10.1"
"""The version of pause that kubeadm 1.34 names; our own pause stands in for it."""


def kubernetes(wanted: str) -> Program:
    """Return upstream Kubernetes as one binary; LabError where `wanted` is not pinned here."""
    folder = IMAGES / "kubernetes"
    version = module_version(folder, "k8s.io/kubernetes")
    if wanted != version:
        raise LabError(
            f"lab_kubernetes_version is {wanted}, but images/kubernetes/go.mod pins {version}.",
            f"Set it to {version}; or change the versions in that go.mod and run `go mod tidy`.",
        )
    major, minor = re.findall(r"\d+", version)[:2]
    stamp = "k8s.io/component-base/version"
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "unknown",
    }
    return Program(
        name="kubernetes",
        version=version,
        folder=folder,
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


def pause() -> Program:
    """Return pause, the process of a pod's own container."""
    return Program(name="pause", version=PAUSE_VERSION, folder=IMAGES / "pause")
