"""An image pulled from a registry of the test's own, which asks for a token first."""

import contextlib
import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.artefacts.jobs import Job
from lab.console.errors import LabError
from lab.images import upstream

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
TOKEN = "let-me-in"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """One image for amd64: an index, its manifest, a configuration and two layers."""

    def __init__(self) -> None:
        self.url = ""
        self.blobs = [b'{"architecture": "amd64"}', b"first layer" * 1000, b"second layer"]
        described = [{"digest": digest(blob), "size": len(blob)} for blob in self.blobs]
        self.manifest = json.dumps({"config": described[0], "layers": described[1:]}).encode()
        platforms = [("linux", "arm64", "sha256:0"), ("linux", "amd64", digest(self.manifest))]
        self.index = json.dumps(
            {
                "manifests": [
                    {"digest": named, "platform": {"os": system, "architecture": arch}}
                    for system, arch, named in platforms
                ]
            }
        ).encode()
        self.stored = {digest(blob): blob for blob in self.blobs}
        self.tokens: list[str] = []
        """Authorization of each request that another host got."""

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/token?"):
            return 200, {}, json.dumps({"token": TOKEN}).encode()
        if path.startswith("/storage/"):
            self.tokens.append(authorization)
            return 200, {}, self.stored[path.removeprefix("/storage/")]
        if authorization != f"Bearer {TOKEN}":
            challenge = f'Bearer realm="{self.url}/token",service="test",scope="pull"'
            return 401, {"WWW-Authenticate": challenge}, b""
        return self.answer_authorised(path)

    def answer_authorised(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path == "/v2/library/mysql/manifests/8.4":
            return 200, {"Content-Type": INDEX}, self.index
        if path == f"/v2/library/mysql/manifests/{digest(self.manifest)}":
            return 200, {"Content-Type": MANIFEST}, self.manifest
        if path.startswith("/v2/library/mysql/blobs/"):
            return 307, {"Location": f"{self.url}/storage/{path.rpartition('/')[2]}"}, b""
        return 404, {}, b""


@pytest.fixture
def registry() -> Iterator[Registry]:
    serving = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, content = serving.answer(
                self.path, self.headers.get("Authorization", "")
            )
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    server.shutdown()
    server.server_close()
    thread.join()


def pull(registry: Registry, target: Path, *, tag: str = "8.4", arch: str = "amd64") -> str:
    name = f"docker.io/library/mysql:{tag}"
    return upstream.pull(
        name, target, arch=arch, job=Job("test"), cure="Take another.", registry=registry.url
    )


def test_the_archive_is_an_oci_layout_of_this_architecture(
    registry: Registry, tmp_path: Path
) -> None:
    made = pull(registry, tmp_path / "image.tar")

    assert made == f"pulled docker.io/library/mysql:8.4 {digest(registry.manifest)}"
    with tarfile.open(tmp_path / "image.tar") as tar:
        files = {name: tar.extractfile(name).read() for name in tar.getnames()}
    assert json.loads(files.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    entry = json.loads(files.pop("index.json"))["manifests"][0]
    assert entry["annotations"]["io.containerd.image.name"] == "docker.io/library/mysql:8.4"
    assert (entry["digest"], entry["mediaType"]) == (digest(registry.manifest), MANIFEST)
    wanted = [registry.manifest, *registry.blobs]
    assert files == {f"blobs/{digest(blob).replace(':', '/')}": blob for blob in wanted}


def test_the_token_stays_with_the_registry(registry: Registry, tmp_path: Path) -> None:
    pull(registry, tmp_path / "image.tar")
    assert registry.tokens == [""] * 3


def test_a_blob_that_is_another_file_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.stored[digest(registry.blobs[1])] = b"something else"
    with pytest.raises(LabError, match="is not the file that its manifest lists"):
        pull(registry, tmp_path / "image.tar")


def test_an_architecture_that_the_image_lacks_is_named(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no image for linux/riscv64"):
        pull(registry, tmp_path / "image.tar", arch="riscv64")


def test_an_image_that_is_not_there_says_how_to_go_on(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="could not be pulled") as caught:
        pull(registry, tmp_path / "image.tar", tag="0.0")
    assert caught.value.cure == "Take another."
    assert "404" in caught.value.evidence
