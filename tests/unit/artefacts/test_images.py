import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.config import files
from lab.console.errors import LabError
from lab.images import archive, build, layers, recipe

FOLDERS = sorted(path.parent.name for path in recipe.IMAGES.glob("*/image.yml"))


def tar_of(target: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(target, "w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return target


def member(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.size = 3 if kind == tarfile.REGTYPE else 0
    info.mtime = 1_000_000
    return info


@pytest.fixture
def job() -> Job:
    return Job("test")


def test_every_recipe_of_the_repository_is_read() -> None:
    assert set(FOLDERS) == {
        *("node", "kubernetes", "etcd", "coredns", "pause", "flannel", "local-path"),
        *("mysql", "grid", "openpdc", "ipdc"),
    }
    for folder in FOLDERS:
        assert recipe.load(folder).title


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_a_recipe_copies_is_there(folder: str) -> None:
    for source in recipe.load(folder).copies.values():
        assert (files.PACKAGES / source).exists()


def test_an_unknown_key_of_a_recipe_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "IMAGES", tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "image.yml").write_text("title: x\nnames: [a:b]\nentripoint: [x]\n")

    with pytest.raises(LabError, match=r"bad/image\.yml") as caught:
        recipe.load("bad")
    assert "entripoint" in caught.value.evidence


@pytest.mark.parametrize("text", ["", "- a\n", "title: [\n"], ids=["empty", "list", "no YAML"])
def test_a_recipe_that_is_no_mapping_is_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "IMAGES", tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "image.yml").write_text(text)

    with pytest.raises(LabError, match=r"bad/image\.yml"):
        recipe.load("bad")


@pytest.mark.parametrize(
    "script",
    ["node/rootfs/usr/local/sbin/node-boot", "mysql/rootfs/usr/local/bin/mysql-entrypoint"],
)
def test_scripts_of_images_are_shell_and_executable(script: str) -> None:
    path = recipe.IMAGES / script

    assert path.stat().st_mode & 0o111 == 0o111
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0


def test_a_layer_depends_on_its_content_only(tmp_path: Path) -> None:
    source = tmp_path / "tree"
    (source / "b").mkdir(parents=True)
    (source / "b" / "script").write_text("#!/bin/sh\n")
    (source / "b" / "script").chmod(0o700)
    (source / "a").write_text("a")
    written = []
    for name in ("one.tar", "two.tar"):
        with layers.Writer(tmp_path / name) as layer:
            layer.tree("/opt/x", source)
        (source / "a").touch()
        (source / "a").chmod(0o600)
        written.append((tmp_path / name).read_bytes())

    assert written[0] == written[1]
    with tarfile.open(tmp_path / "one.tar") as tar:
        modes = {info.name: (info.mode, info.uid) for info in tar}
    assert modes == {
        "opt": (0o755, 0),
        "opt/x": (0o755, 0),
        "opt/x/a": (0o644, 0),
        "opt/x/b": (0o755, 0),
        "opt/x/b/script": (0o755, 0),
    }


def test_devices_and_unwanted_paths_are_left_out(tmp_path: Path) -> None:
    source = tar_of(
        tmp_path / "in.tar",
        member("./", tarfile.DIRTYPE),
        member("./usr/share/doc/x/copyright"),
        member("./usr/bin/perl"),
        member("./usr/bin/perl5.36", tarfile.LNKTYPE, link="./usr/bin/perl"),
        member("./usr/bin/sh"),
        member("./bin/sh", tarfile.LNKTYPE, link="./usr/bin/sh"),
        member("./dev/null", tarfile.CHRTYPE),
    )

    kept = layers.filtered(source, tmp_path / "out.tar", drop=["usr/share/doc/*", "usr/bin/perl"])

    with tarfile.open(tmp_path / "out.tar") as tar:
        assert {info.name: info.linkname for info in tar} == {
            "usr/bin/sh": "",
            "bin/sh": "usr/bin/sh",
        }
        assert {info.mtime for info in tar} == {1_000_000}
    assert kept == {"entries": 2, "bytes": 3}


def test_an_archive_is_what_engines_expect(tmp_path: Path) -> None:
    shared = tar_of(tmp_path / "shared.tar", member("shared"))
    own = tar_of(tmp_path / "own.tar", member("own"))
    images = [
        archive.Image(
            names=["a/x:1", "a/y:1"],
            layers=[shared, own],
            run=recipe.ContainerStart(entrypoint=["/x"], env={"K": "v"}, stop_signal="SIGTERM"),
            labels={"l": "1"},
        ),
        archive.Image(names=["b:2"], layers=[shared], run=recipe.ContainerStart(), labels={}),
    ]

    archive.write(images, tmp_path / "one.tar", arch="arm64")
    archive.write(images, tmp_path / "two.tar", arch="arm64")

    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as tar:
        names = tar.getnames()
        files = {name: tar.extractfile(name).read() for name in names}
    assert len(names) == len(set(names))
    manifest = json.loads(files["manifest.json"])
    assert [entry["RepoTags"] for entry in manifest] == [["a/x:1", "a/y:1"], ["b:2"]]
    assert manifest[0]["Layers"][0] == manifest[1]["Layers"][0]
    for entry in manifest:
        config = json.loads(files[entry["Config"]])
        assert entry["Config"] == hashlib.sha256(files[entry["Config"]]).hexdigest() + ".json"
        digests = [
            f"sha256:{hashlib.sha256(files[layer]).hexdigest()}" for layer in entry["Layers"]
        ]
        assert config["rootfs"]["diff_ids"] == digests
        assert config["architecture"] == "arm64"
    config = json.loads(files[manifest[0]["Config"]])["config"]
    assert config["Entrypoint"] == ["/x"]
    assert "K=v" in config["Env"]
    assert config["StopSignal"] == "SIGTERM"


@pytest.fixture
def images_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a repository with one image, `thing`, that copies `code` and holds a program."""
    root = tmp_path / "images"
    (root / "thing" / "rootfs" / "etc").mkdir(parents=True)
    (root / "thing" / "rootfs" / "etc" / "conf").write_text("conf")
    (root / "thing" / "image.yml").write_text(
        "title: A thing\n"
        "names: ['x/thing:{version}-{digest}']\n"
        "programs: {/bin/tool: tool}\n"
        "links: {/bin/alias: tool}\n"
        "directories: {/var/thing: '0750 999'}\n"
        "copies: {/opt/code: code}\n"
        "run: {entrypoint: [/bin/tool]}\n"
    )
    code = tmp_path / "code"
    (code / "__pycache__").mkdir(parents=True)
    (code / "main.py").write_text("print()")
    (code / "__pycache__" / "main.pyc").write_bytes(b"compiled")
    monkeypatch.setattr(recipe, "IMAGES", root)
    monkeypatch.setattr(build, "PACKAGES", tmp_path)
    return root


@pytest.fixture
def tool(cache: Cache) -> Artefact:
    artefact = Artefact(name="tool", version="1", arch="amd64", file="tool")

    def make(target: Path) -> str:
        target.write_bytes(b"\x7fELF")
        return "test"

    cache.get_or_make(artefact, make, notify=lambda _text: None)
    return artefact


def test_an_image_is_written_once(
    images_folder: Path, cache: Cache, tool: Artefact, job: Job
) -> None:
    sources = build.gather("thing", version="7", cache=cache, programs=[tool])
    artefact = build.bundle("thing", [sources], arch="amd64", cache=cache, job=job)
    inode = cache.path(artefact).stat().st_ino
    again = build.bundle("thing", [sources], arch="amd64", cache=cache, job=job)

    assert again == artefact
    assert cache.path(again).stat().st_ino == inode
    with tarfile.open(cache.path(artefact)) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
        assert manifest[0]["RepoTags"] == list(sources.names)
        assert sources.names[0].startswith("x/thing:7-")
        with tarfile.open(fileobj=tar.extractfile(manifest[0]["Layers"][0])) as layer:
            found = {info.name: (info.mode, info.uid, info.linkname) for info in layer}
    assert found["bin/tool"] == (0o755, 0, "")
    assert found["bin/alias"] == (0o777, 0, "tool")
    assert found["var/thing"] == (0o750, 999, "")
    assert found["etc/conf"] == (0o644, 0, "")
    assert "opt/code/main.py" in found
    assert not any("__pycache__" in name for name in found)
    assert list(cache.path(artefact).parent.glob("*.part*")) == []


def test_a_change_of_any_input_changes_the_name(
    images_folder: Path, cache: Cache, tool: Artefact
) -> None:
    def name() -> str:
        return build.gather("thing", version="7", cache=cache, programs=[tool]).names[0]

    seen = {name()}
    code = images_folder.parent / "code"
    (code / "__pycache__" / "main.pyc").write_bytes(b"compiled anew")
    (code / "README.md").write_text("not in the image")
    (code / "main.py").touch()
    assert name() in seen

    changes = [
        lambda: (code / "main.py").write_text("print(1)"),
        lambda: (code / "more.py").write_text(""),
        lambda: (code / "main.py").chmod(0o755),
        lambda: (images_folder / "thing" / "rootfs" / "etc" / "conf").write_text("other"),
        lambda: (images_folder / "thing" / "image.yml").write_text(
            (images_folder / "thing" / "image.yml").read_text().replace("A thing", "The thing")
        ),
    ]
    for change in changes:
        change()
        assert name() not in seen
        seen.add(name())
