"""Which images a k3s release starts, with a program that unpacks itself as k3s does."""

import pytest

from lab.artefacts import k3s, k3s_images
from lab.artefacts.cache import Cache
from lab.console.errors import LabError

RELEASE = k3s.Release(version="v1.99.0+k3s1", arch="amd64", mirror="http://127.0.0.1:9")
PROGRAM = """#!/bin/sh
echo run >>"$0.runs"
test "$*" = "agent --help" && echo '--pause-image value (default: "rancher/mirrored-pause:3.6")'
mkdir -p "$K3S_DATA_DIR/data/0123/bin"
printf 'ELF\\0image: "%%{REGISTRY}%%{names}"\\0' >"$K3S_DATA_DIR/data/0123/bin/k3s"
"""
NAMES = "rancher/mirrored-coredns-coredns:1.13.9"


@pytest.fixture
def program(cache: Cache):
    path = cache.path(RELEASE.program)
    path.parent.mkdir(parents=True)
    path.write_text(PROGRAM.replace("{names}", NAMES))
    path.chmod(0o755)
    return path


def test_the_program_itself_says_its_images(program, cache: Cache) -> None:
    for _ in range(2):
        assert k3s_images.needed(RELEASE, cache=cache) == {
            "coredns": ["rancher/mirrored-coredns-coredns:1.13.9"],
            "pause": ["rancher/mirrored-pause:3.6"],
        }
    runs = program.with_name("k3s.runs")
    assert runs.read_text() == "run\nrun\n", "what it said is kept"
    program.write_text(program.read_text().replace("1.13.9", "1.14.0"))
    found = k3s_images.needed(RELEASE, cache=cache)
    assert found["coredns"] == ["rancher/mirrored-coredns-coredns:1.14.0"]


def test_the_list_of_the_release_wins(program, cache: Cache) -> None:
    program.with_name(k3s_images.LIST).write_text(
        "docker.io/rancher/mirrored-coredns-coredns:9.9\ndocker.io/rancher/mirrored-pause:3.7\n"
    )
    assert k3s_images.needed(RELEASE, cache=cache) == {
        "coredns": ["rancher/mirrored-coredns-coredns:9.9"],
        "pause": ["rancher/mirrored-pause:3.7"],
    }


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 1\n", "\x7fELF of another architecture"])
def test_a_program_that_does_not_tell_is_named_with_the_cure(
    program, cache: Cache, content: str
) -> None:
    program.write_text(content)
    with pytest.raises(LabError, match=r"coredns and pause k3s v1\.99\.0") as caught:
        k3s_images.needed(RELEASE, cache=cache)
    assert "k3s-airgap-images-amd64.tar.zst, or k3s-images.txt" in caught.value.cure
