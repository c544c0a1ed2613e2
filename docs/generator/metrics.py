"""The page of the metrics: what a running `pmu` and a running `pdc` serve."""

import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from docs.generator import markdown

_LIMIT_S = 30.0
_FLOWING = "pdc_output_minimum_latency_seconds"
"""A metric that is there once a frame has left the PDC."""
_TOPOLOGY = """
stream: {{name: area, idcode: 10, port: {output}}}
inputs: [{{name: pmu-1, host: 127.0.0.1, port: {input}, idcode: 1, phasors: [VA]}}]
mqtt: {{host: 127.0.0.1, port: 9, topic: grid}}
"""


def pages() -> dict[str, str]:
    """Return file name -> content, relative to docs/reference."""
    pmu, pdc = _scrape()
    return {
        "metrics.md": markdown.page(
            "Metrics",
            "`pmu serve` and `pdc serve` with `--metrics-port N` serve `/metrics` in the format of "
            "Prometheus, beside `/healthz` and `/readyz`, and beside these the metrics of the "
            "process. In the lab the port is 9712 of each pod.",
            "- `/healthz` is 200 while the process answers; a PMU's is 503 when frames are overdue "
            "by 2 s.\n- `/readyz` is 200 once a PMU listens on all its addresses, and once a "
            "PDC's output is open.",
            "A summary of latencies has the quantiles 0.5, 0.99 and 1, `_count` and `_sum`. "
            "Each minute the PDC logs the most important figures in one line.",
            "## pmu",
            markdown.table(("metric", "type", "labels", "meaning"), pmu),
            "## pdc",
            markdown.table(("metric", "type", "labels", "meaning"), pdc),
        )
    }


def _scrape() -> tuple[list[tuple[str, str, str, str]], list[tuple[str, str, str, str]]]:
    ports = _free_ports(4)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        topology = directory / "topology.yml"
        topology.write_text(_TOPOLOGY.format(input=ports[0], output=ports[1]), encoding="utf-8")
        log = stack.enter_context((directory / "log").open("w+"))
        for arguments in (
            (
                "grid.pmu",
                "serve",
                "--idcode",
                "1",
                f"--port={ports[0]}",
                f"--metrics-port={ports[2]}",
            ),
            ("grid.pdc", "serve", f"--topology={topology}", f"--metrics-port={ports[3]}"),
        ):
            argv = [sys.executable, "-m", *arguments]
            process = subprocess.Popen(argv, stderr=log, stdout=log)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
        end_s = time.monotonic() + _LIMIT_S
        while _FLOWING not in (text := _get(ports[3])):
            if time.monotonic() > end_s:
                log.seek(0)
                raise TimeoutError(f"no frame left the PDC within {_LIMIT_S:g} s:\n{log.read()}")
            time.sleep(0.1)
        return _rows(_get(ports[2]), "pmu_"), _rows(text, "pdc_")


def _get(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            body: bytes = answer.read()
            return body.decode()
    except OSError:
        return ""


def _rows(text: str, prefix: str) -> list[tuple[str, str, str, str]]:
    """Return name, type, labels and help of each metric, in the order they are served."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    rows = []
    for name, told in re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE):
        if not name.startswith(prefix):
            continue
        found = re.findall(rf"^{name}(?:_sum|_count)?{{(.*?)}} ", text, re.MULTILINE)
        labels = {key for one in found for key in re.findall(r"(\w+)=", one)} - {"quantile"}
        rows.append(
            (
                f"`{name}`",
                types[name],
                ", ".join(f"`{one}`" for one in sorted(labels)),
                told.rstrip("."),
            )
        )
    return rows


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
