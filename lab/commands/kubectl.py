"""`lab kubectl`: kubectl on a server of the lab; files of this machine reach it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from lab.cluster.admin import kubectl_argv
from lab.cluster.lab import find
from lab.commands import options
from lab.console.errors import LabError

FILE_VERBS = frozenset(
    ("apply", "create", "delete", "describe", "diff", "get", "patch", "replace", "wait")
)
"""kubectl's commands that read manifests with -f; that of `logs` and `attach` means otherwise."""
FLAGS = ("-f", "--filename", "-k", "--kustomize")

app = options.verb_app()


@app.command(context_settings={**options.REST, "help_option_names": []})
@options.explained()
def kubectl(context: typer.Context, name: options.Name = options.DEFAULT_NAME) -> None:
    """Run kubectl against the lab, on the first server whose API is ready.

    A manifest of this machine (-f FILE) is handed on as standard input.
    """
    arguments, manifest = with_manifest(context.args)
    terminal = sys.stdin.isatty() and manifest is None
    argv = kubectl_argv(find(name), arguments, terminal=terminal)
    if manifest is not None:
        file = os.open(manifest, os.O_RDONLY)
        os.dup2(file, sys.stdin.fileno())
    options.become(list(argv))


def with_manifest(arguments: Sequence[str]) -> tuple[list[str], Path | None]:
    """Return kubectl's arguments with `-` in place of a file of this machine, and the file.

    Raises LabError for what standard input can't carry: several files, or a directory.
    """
    words = list(arguments)
    if not FILE_VERBS.intersection(words):
        return words, None
    end = words.index("--") if "--" in words else len(words)
    found = []
    for position, word in enumerate(words[:end]):
        flag, equals, value = word.partition("=")
        if flag not in FLAGS:
            continue
        if not equals and position + 1 < end:
            position, value = position + 1, words[position + 1]  # noqa: PLW2901 - the value's
        if value not in ("", "-") and Path(value).exists():
            found.append((position, f"{flag}=" if equals else "", Path(value)))
    if not found:
        return words, None
    if len(found) > 1 or not found[0][2].is_file():
        raise LabError(
            "kubectl runs on a server, which has none of this machine's files: "
            f"{', '.join(str(path) for _, _, path in found)}.",
            "Hand one file on (-f FILE) or a stream (cat FILES | lab kubectl apply -f -); or use "
            "a kubectl of this machine with `export KUBECONFIG=$(lab kubeconfig)`.",
        )
    position, prefix, path = found[0]
    words[position] = f"{prefix}-"
    return words, path
