import json
from pathlib import Path

import pytest

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.console.errors import LabError
from lab.images import debian, hub, mysql, recipe, upstream


@pytest.fixture
def job() -> Job:
    return Job("MySQL")


@pytest.fixture
def mmdebstrap(monkeypatch: pytest.MonkeyPatch):
    """Stand in for mmdebstrap, with the version of MySQL that it is told."""
    calls: list[list[str]] = []

    def stand_in(version: str) -> list[list[str]]:
        def run(self: Job, argv, *, on_line, **_: object) -> None:
            calls.append([str(word) for word in argv])
            on_line("I: downloading packages with apt...")
            on_line(f"package: mysql-server-core_{version}_amd64.deb")
            on_line("package: libaio1t64_0.3.113-10_amd64.deb")

        monkeypatch.setattr(Job, "run", run)
        monkeypatch.setattr(debian.environment, "which", lambda _: "/usr/bin/mmdebstrap")
        monkeypatch.setattr(debian.layers, "filtered", lambda _raw, target, drop: keep(target))
        return calls

    def keep(target) -> dict[str, int]:
        # An empty tar file.
        target.write_bytes(bytes(10240))
        return {"entries": 0, "bytes": 0}

    return stand_in


def test_packages_make_an_image_named_by_its_version(
    cache: Cache, job: Job, mmdebstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = mmdebstrap("9.7.4-2")
    monkeypatch.setattr(hub, "answers", lambda: False)

    for _ in range(2):
        image = mysql.image("auto", arch="amd64", cache=cache, job=job)

    assert image.source == "packages"
    assert image.version == "9.7.4"
    assert image.name.startswith("blackstart/mysql:9.7.4-")
    assert len(calls) == 1
    assert "sid" in calls[0]
    assert any(word.startswith("--include=mysql-server-core,") for word in calls[0])


def test_a_mysql_that_is_too_old_is_refused(cache: Cache, job: Job, mmdebstrap) -> None:
    mmdebstrap("1:8.0.40-1")

    with pytest.raises(LabError, match=r"has MySQL 8\.0\.40; the lab needs 8\.4") as caught:
        mysql.image("packages", arch="amd64", cache=cache, job=job)
    assert "upstream" in caught.value.cure


def test_auto_pulls_where_the_registry_answers(
    cache: Cache, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "answers", lambda: True)
    monkeypatch.setattr(upstream, "pull", pulled)

    image = mysql.image("auto", arch="amd64", cache=cache, job=job)

    assert image.name == "docker.io/library/mysql:8.4"
    assert image.source == "upstream"
    assert cache.path(image.archive).read_text() == "archive"


def test_auto_stays_with_what_the_cache_has(
    cache: Cache, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "pull", pulled)
    mysql.image("upstream", arch="amd64", cache=cache, job=job)
    monkeypatch.setattr(hub, "answers", lambda: pytest.fail("asked the registry"))

    assert mysql.image("auto", arch="amd64", cache=cache, job=job).source == "upstream"


def test_the_registry_is_asked_with_a_limit(mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LIMIT_S", 0.2)

    assert hub.answers(f"{mirror.url}/v2/")  # 404 is an answer.
    mirror.silent.set()
    assert not hub.answers(f"{mirror.url}/v2/")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("E: Could not connect to mirror.example:80", "mirror .* does not answer"),
        ("E: You don't have enough free space: No space left on device", "the disk is full"),
        ("GPG error: NO_PUBKEY 123", "signature"),
        ("sudo: a password is required", "sudo wants a password"),
    ],
)
def test_failures_of_mmdebstrap_get_their_cure(
    cache: Cache, job: Job, mmdebstrap, monkeypatch: pytest.MonkeyPatch, output: str, sentence: str
) -> None:
    mmdebstrap("9.7.4-2")

    def fails(self: Job, argv, **_: object) -> None:
        result = debian.command.Result(argv=("x",), returncode=25, stdout=output, stderr="")
        raise debian.command.CommandError(result)

    monkeypatch.setattr(Job, "run", fails)

    with pytest.raises(LabError, match=sentence) as caught:
        mysql.image("packages", arch="amd64", cache=cache, job=job)
    assert caught.value.cure
    assert not list(cache.root.rglob("*.raw"))


def test_a_record_without_versions_is_said(cache: Cache) -> None:
    layer = Artefact(name="layer-debian", version="x", arch="amd64", file="layer.tar")
    path = cache.path(layer)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    cache.adopt(layer, made="by hand")

    assert json.loads(path.with_name("layer.tar.json").read_text())["made"] == "by hand"
    with pytest.raises(LabError, match="names no version of mysql-server-core"):
        debian.version(layer, "mysql-server-core", cache=cache)


def test_upstream_and_packages_share_the_deployment_s_assumptions() -> None:
    found = recipe.load("mysql")

    assert "3306/tcp" in found.run.ports
    assert found.directories["/var/lib/mysql"].split()[1] == "999"


def pulled(name: str, target: Path, *, arch: str, job: Job, cure: str) -> str:
    assert "lab_mysql_source" in cure
    target.write_text("archive")
    return "pulled"
