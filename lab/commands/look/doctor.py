"""`lab doctor`: what is wrong, and a bundle of evidence to send to somebody."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from lab.cluster import health
from lab.cluster.lab import Lab, find
from lab.commands import options
from lab.commands.look import preflight
from lab.console import boundary
from lab.console.errors import LabError
from lab.console.progress import Terminal
from lab.evidence import collection

NOTHING = "Nothing is wrong that this can see."
_Answer = TypeVar("_Answer")

app = options.verb_app()


@app.command(**options.shown("lab doctor", "lab doctor --name second --output /tmp"))
@options.explained()
def doctor(
    name: options.Name = options.DEFAULT_NAME,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIRECTORY", help="Where the bundle goes.")
    ] = Path(),
) -> None:
    """Say what is wrong with machine and lab, and pack the evidence, without secrets.

    A lab that is broken, or is not there, is no error: the bundle says so.
    """
    if not output.is_dir():
        raise LabError(f"{output} is no directory.", "Name one that is there with --output.")
    problems: list[str] = []
    lab = _told(partial(find, name), problems)
    if lab is not None:
        problems += _told(partial(_wrong_with, lab), problems) or []
    machine = _told(partial(preflight.examine, options.EMBEDDED, name, []), problems)
    problems += map(str, machine.problems if machine else ())
    archive = collection.gather(name, lab, partial(str, machine), output, Terminal())
    print("\n".join(f"wrong: {problem}\n" for problem in problems) or NOTHING)
    print(f"The evidence is in {archive}. Read it before you send it: it names this machine.")


def _told(look: Callable[[], _Answer], problems: list[str]) -> _Answer | None:
    """Return what `look` returns; what it raises, whatever it is, is one problem more."""
    try:
        return look()
    except Exception as error:
        problems.append(str(boundary.sentence(error) or f"{type(error).__name__}: {error}"))
        return None


def _wrong_with(lab: Lab) -> list[str]:
    """Return a sentence for each thing that is wrong with the lab."""
    status = health.examine(lab)
    pods = [f"{pod.name} on {pod.node}: {pod.phase}" for pod in status.pods if not pod.ready]
    found = [*status.problem.splitlines(), *(f"pod {pod}" for pod in pods)]
    if not status.healthy and not found:
        found = [f"The lab {lab.name!r} is not healthy; `lab status` shows more."]
    return found
