"""Which distribution of Kubernetes a new lab gets."""

from dataclasses import dataclass

from lab.artefacts import k3s, programs
from lab.artefacts.cache import Cache, machine_architecture
from lab.config.settings import Settings
from lab.console.errors import LabError


@dataclass(frozen=True, kw_only=True)
class DistributionChoice:
    """A distribution, and why."""

    distribution: str
    """k3s or kubeadm."""
    reason: str
    """One line for the user."""


def choose_distribution(wanted: str, cache: Cache, settings: Settings) -> DistributionChoice:
    """Return `wanted`, or for `auto` k3s where it is cached or its mirror answers.

    Asking the mirror takes at most k3s.PROBE_LIMIT_S per address that its name has.
    """
    if wanted != "auto":
        return DistributionChoice(distribution=wanted, reason="asked for")
    release = _release(settings)
    if k3s.cached(release, cache=cache):
        return DistributionChoice(
            distribution="k3s", reason=f"k3s {release.version} is in the cache"
        )
    why = k3s.reachable(release)
    if why is None:
        return DistributionChoice(
            distribution="k3s", reason=f"{release.mirror} has k3s {release.version}"
        )
    return DistributionChoice(
        distribution="kubeadm", reason=f"k3s {release.version} is not available: {why}"
    )


def check_available(distribution: str, cache: Cache, settings: Settings) -> None:
    """Raise LabError where `distribution` can't be had in the version that is asked for.

    Of Kubernetes, whether the minor version can be built: its modules are asked for then.
    """
    if distribution == "kubeadm":
        programs.kubernetes(settings.lab_kubernetes_version)
        return
    release = _release(settings)
    if k3s.cached(release, cache=cache):
        return
    if why := k3s.reachable(release):
        raise LabError(
            f"k3s {release.version} is neither in the cache nor at {release.mirror}: {why}.",
            "Set lab_k3s_version to a release that is there, lab_k3s_mirror to a mirror that has "
            f"it, or lay its files into {cache.path(release.program).parent}.",
        )


def _release(settings: Settings) -> k3s.Release:
    return k3s.Release(
        version=settings.lab_k3s_version,
        arch=machine_architecture(),
        mirror=settings.lab_k3s_mirror,
    )
