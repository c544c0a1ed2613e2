"""The endpoint role's script that waits for an API server before HAProxy runs."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from jinja2 import Template

from tests.modules import loaded
from tests.ports import free_port

ROLE = Path(__file__).parents[2] / "playbooks" / "roles" / "endpoint"
SCRIPT = ROLE / "files" / "when_ready.py"
BECOME = ("/bin/echo", "became", "HAProxy")


class ApiServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port(tmp_path: Path) -> int:
    certificate = tmp_path / "certificate.pem"
    wanted = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    files = ["-keyout", str(certificate), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *wanted, *files], check=True, capture_output=True)
    return free_port()


@pytest.fixture
def server(port: int, tmp_path: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem")
    with HTTPServer(("127.0.0.1", port), ApiServer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def configuration(folder: Path, port: int, path: str = "/readyz") -> Path:
    file = folder / "haproxy.cfg"
    file.write_text(
        f"backend servers\n    option httpchk GET {path}\n"
        f"    server server-1 127.0.0.1:{free_port()}\n"
        f"    server server-2 127.0.0.1:{port} backup\n"
    )
    return file


def started(file: Path) -> subprocess.Popen[str]:
    # It asks its servers themselves, whatever proxy the machine is told of.
    variables = {**os.environ, "https_proxy": "http://127.0.0.1:1"}
    argv = [sys.executable, str(SCRIPT), str(file), *BECOME]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=variables)


def test_it_becomes_haproxy_with_the_first_server_that_is_ready(
    tmp_path: Path, port: int, server: HTTPServer
) -> None:
    with started(configuration(tmp_path, port)) as process:
        assert process.communicate(timeout=30)[0] == "became HAProxy\n"


def test_it_waits_while_none_is_and_a_reload_looks_again(
    tmp_path: Path, port: int, server: HTTPServer
) -> None:
    file = configuration(tmp_path, port, "/livez")
    with started(file) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        configuration(tmp_path, port)
        process.send_signal(signal.SIGUSR2)
        assert process.communicate(timeout=30)[0] == "became HAProxy\n"


def test_a_server_that_does_not_answer_is_not_ready(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = loaded(SCRIPT)
    monkeypatch.setattr(script, "ASK_LIMIT_S", 0.2)
    url, ask = f"https://127.0.0.1:{port}/readyz", script.opener()
    with socket.create_server(("127.0.0.1", port)):
        assert not script.is_ready(url, ask)
    assert not script.is_ready(url, ask)


def test_it_reads_what_the_template_writes() -> None:
    text = (ROLE / "templates" / "haproxy.cfg.j2").read_text()
    servers = {"server-1": "192.0.2.1", "server-2": "192.0.2.2"}
    written = Template(text).render(
        endpoint_servers=servers,
        endpoint_check_path="/ping",
        endpoint_own_first=True,
        inventory_hostname="server-1",
    )
    assert [*loaded(SCRIPT).checks(written)] == [
        "https://192.0.2.1:6443/ping",
        "https://192.0.2.2:6443/ping",
    ]
