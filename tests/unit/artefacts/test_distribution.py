import pytest

from lab.artefacts import k3s
from lab.artefacts.cache import Cache, machine_architecture
from lab.bundle import distribution
from lab.config.settings import Settings


def settings(mirror_url: str) -> Settings:
    return Settings(lab_k3s_mirror=mirror_url)


def test_what_is_asked_for_is_taken(cache: Cache) -> None:
    for wanted in ("k3s", "kubeadm"):
        choice = distribution.choose_distribution(wanted, cache, settings("http://127.0.0.1:9"))
        assert choice.distribution == wanted


def test_auto_takes_k3s_where_the_mirror_has_it(k3s_mirror, cache: Cache) -> None:
    choice = distribution.choose_distribution("auto", cache, settings(k3s_mirror.url))

    assert choice.distribution == "k3s"
    assert k3s_mirror.url in choice.reason


def test_auto_takes_k3s_from_the_cache(cache: Cache) -> None:
    release = k3s.Release(version="v1.34.3+k3s1", arch=machine_architecture(), mirror="")
    path = cache.path(release.program)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"k3s")

    choice = distribution.choose_distribution("auto", cache, settings("http://127.0.0.1:9"))

    assert choice.distribution == "k3s"
    assert "in the cache" in choice.reason


def test_auto_takes_kubeadm_where_the_version_is_absent(mirror, cache: Cache) -> None:
    choice = distribution.choose_distribution("auto", cache, settings(mirror.url))

    assert choice.distribution == "kubeadm"
    assert "404" in choice.reason


def test_auto_takes_kubeadm_where_nobody_answers(
    mirror, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(k3s, "PROBE_LIMIT_S", 0.2)
    mirror.silent.set()

    choice = distribution.choose_distribution("auto", cache, settings(mirror.url))

    assert choice.distribution == "kubeadm"
    assert "timed out" in choice.reason
    assert "\n" not in choice.reason
