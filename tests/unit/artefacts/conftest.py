"""A mirror of releases on this machine, that serves well or badly on demand."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from lab.artefacts.cache import Artefact, Cache


@dataclass
class Mirror:
    """What the server has, and how it behaves."""

    url: str = ""
    moved: dict[str, str] = field(default_factory=dict)
    """Path to where it says that this is."""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path, and the Range that was asked for."""
    cut_after: list[int] = field(default_factory=list)
    """For each coming answer: bytes after which the connection ends."""
    ranges: bool = True
    """Whether it knows Range."""
    silent: threading.Event = field(default_factory=threading.Event)
    """Set: it takes requests and says nothing until `released`."""
    released: threading.Event = field(default_factory=threading.Event)


def _handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if mirror.silent.is_set():
                mirror.released.wait(30)
                return
            asked = self.headers.get("Range", "")
            mirror.requests.append((self.path, asked))
            if target := mirror.moved.get(self.path):
                self.send_response(302)
                self.send_header("Location", target)
                self.end_headers()
                return
            content = mirror.files.get(unquote(self.path))
            if content is None:
                self.send_error(404)
                return
            offset = int(asked.removeprefix("bytes=").rstrip("-") or 0) if asked else 0
            if offset and mirror.ranges:
                self.send_response(206)
                content = content[offset:]
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            cut = mirror.cut_after.pop(0) if mirror.cut_after else len(content)
            with contextlib.suppress(ConnectionError):  # The client has given up.
                self.wfile.write(content[:cut])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    serving = Mirror()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(serving))
    serving.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def k3s_mirror(mirror: Mirror) -> Mirror:
    """Have a mirror with the release v1.34.3+k3s1, as GitHub lays it out."""
    below = "/v1.34.3+k3s1/"
    files = {
        "k3s": b"\x7fELF k3s " * 40_000,
        "k3s-arm64": b"\x7fELF arm " * 40_000,
        "k3s-airgap-images-amd64.tar.zst": b"amd64 images " * 30_000,
        "k3s-airgap-images-arm64.tar.zst": b"arm64 images " * 30_000,
    }
    for arch in ("amd64", "arm64"):
        names = [n for n in files if ("arm64" in n) == (arch == "arm64")]
        lines = [f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in names]
        files[f"sha256sum-{arch}.txt"] = "".join(lines).encode()
    mirror.files = {below + name: content for name, content in files.items()}
    return mirror


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def artefact() -> Artefact:
    return Artefact(name="thing", version="1.0", arch="amd64", file="thing.bin")
