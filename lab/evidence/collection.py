"""The bundle: every question asked, every answer freed of secrets, all packed into one archive."""

import io
import tarfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from lab.cluster.admin import ready_server
from lab.cluster.lab import Lab
from lab.console.errors import LabError, shortened
from lab.console.progress import Progress
from lab.evidence import inquiry
from lab.evidence.inquiry import Question
from lab.evidence.redaction import REMOVED, Redactor
from lab.nodes.node import Node

AT_ONCE = 8
"""Questions under way at the same time: a node that hangs holds up its own."""
NEWS_EACH = 10
"""Answers between two lines of progress."""
FILE_LIMIT = 2_000_000
"""Characters of one file; of a longer one, the beginning and the end are kept."""
LIMIT_S = 300.0
"""For all of them."""
README = f"""\
What `lab doctor` gathered of the lab {{name!r}} at {{time}}, for somebody who was not there.

machine/   the machine that ran it: the kit and its packages, system, network, Docker engine
lab/       the lab as `lab status` sees it, its settings, and what its nodes said while booting
nodes/     of each node that runs: journals, network and firewall, processes, containers, logs
cluster/   what Kubernetes says of nodes, pods, events and leases, if a server's API is ready

Passwords, tokens and private keys were replaced by {REMOVED}: the cluster's own by their values,
others by their form. Names and addresses of this machine are in it. Read it before you send it.
"""


def gather(
    name: str,
    lab: Lab | None,
    preflight: Callable[[], str],
    directory: Path,
    progress: Progress,
) -> Path:
    """Ask the machine, and the lab called `name` where there is one; return the archive.

    It is written into `directory`, under a name that has the time. A question without an
    answer has the reason in the place of it.
    """
    ready = _ready(lab)
    known = inquiry.secrets(lab.cluster.servers, ready) if lab else []
    questions = [*inquiry.of_machine(preflight)]
    if lab:
        questions += inquiry.of_lab(lab)
    if ready:
        questions += inquiry.of_cluster(ready)
    now = datetime.now(UTC)
    archive = directory / f"blackstart-{name}-{now:%Y%m%dT%H%M%SZ}.tar.gz"
    readme = README.format(name=name, time=f"{now:%Y-%m-%d %H:%M:%S} UTC")
    redactor = Redactor(known)
    with progress.step("Ask the machine and the nodes", limit_s=LIMIT_S) as step:
        answers = {"README.txt": readme}
        for file, content in _answers(questions):
            answers[file] = redactor.clean(content)
            if len(answers) % NEWS_EACH == 0:
                step.update(f"{len(answers)} of {len(questions)} answers")
    _pack(archive, answers)
    return archive


def _ready(lab: Lab | None) -> Node | None:
    try:
        return ready_server(lab) if lab else None
    except LabError:
        return None


def _answers(questions: Iterable[Question]) -> Iterable[tuple[str, str]]:
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        asked = {pool.submit(_answer, question): question.file for question in questions}
        for done in as_completed(asked):
            yield asked[done], done.result()


def _answer(question: Question) -> str:
    try:
        return shortened(question.ask(), FILE_LIMIT)
    except Exception as error:  # Whatever fails is evidence of what is wrong.
        return f"no answer: {type(error).__name__}: {error}"


def _pack(archive: Path, files: dict[str, str]) -> None:
    """Write the archive, readable for this user alone, and whole or not at all."""
    top = archive.name.removesuffix(".tar.gz")
    partial = archive.with_name(f".{archive.name}.part")
    try:
        partial.touch(mode=0o600)
        with tarfile.open(partial, "w:gz") as packed:
            for file, content in sorted(files.items()):
                data = content.encode(errors="replace")
                entry = tarfile.TarInfo(f"{top}/{file}")
                entry.size, entry.mtime = len(data), int(time.time())
                packed.addfile(entry, io.BytesIO(data))
        partial.rename(archive)
    finally:
        partial.unlink(missing_ok=True)
