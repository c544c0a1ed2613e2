"""`lab kubectl`: kubectl on a server of the lab; manifests of this machine reach it."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from lab.cluster.admin import kubectl_argv
from lab.cluster.lab import find
from lab.commands import options
from lab.console.errors import LabError

FILE_VERBS = frozenset(
    (
        *("annotate", "apply", "auth", "autoscale", "create", "delete", "describe", "diff"),
        *("expose", "get", "label", "patch", "replace", "rollout", "scale", "set", "wait"),
    )
)
"""kubectl's commands that read manifests with -f; that of `logs` means to follow."""
FLAGS = ("-f", "--filename")
SUFFIXES = frozenset((".json", ".yaml", ".yml"))
"""What kubectl reads of a directory."""
FILE_OPTIONS = ("-k", "--kustomize", "--from-file", "--from-env-file", "--patch-file")
"""Options that name a file or a directory, which standard input can't carry."""
LOCAL_VERBS = {
    "config": "would read and change the kubeconfig that is there",
    "cp": "would copy from and to there; `lab kubectl exec -i POD -- tee FILE <FILE` sends one",
    "edit": "would open its editor there; `lab kubectl get -o yaml` and `replace -f` do the same",
    "kustomize": "reads directories there",
    "plugin": "has none of this machine's plugins there",
    "port-forward": "would listen there",
    "proxy": "would listen there",
}
"""kubectl's commands that are of use on the user's own machine alone, and why."""
NAMED_VERBS = frozenset(("autoscale", "expose"))
"""kubectl's commands that have an option --name of their own."""
VALUED = frozenset(
    (
        *("-n", "--namespace", "-s", "--server", "-v", "--v", "--as", "--as-group", "--as-uid"),
        *("--cluster", "--context", "--kubeconfig", "--request-timeout", "--token", "--user"),
    )
)
"""kubectl's options before its command that the next word belongs to."""
OWN_KUBECTL = "a kubectl of this machine, after `export KUBECONFIG=$(lab kubeconfig)`"

app = options.verb_app()


class OwnHelp(TyperCommand):
    """Takes -h as a whole word only: kubectl's short options may hold an h, as -nhome."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write --help where the first word is -h."""
        return list(super().parse_args(ctx, ["--help"] if args[:1] == ["-h"] else args))


EXAMPLES = (
    "lab kubectl get pods -A",
    "lab kubectl --name second apply -f app.yaml",
    "lab kubectl exec -it -n grid deployment/pmu-1 -- python3",
    "lab kubectl help",
)
SETTINGS = {
    **options.OTHERS_WORDS,
    "ignore_unknown_options": True,
    "help_option_names": ["--help"],
}


@app.command(cls=OwnHelp, **options.shown(*EXAMPLES, **SETTINGS))
@options.explained("Stopped.")
def kubectl(context: typer.Context, name: options.Name = options.DEFAULT_NAME) -> None:
    """Run kubectl against the lab, on the first server whose API is ready.

    The kit's own options come first; all else is kubectl's. Manifests of this machine
    (-f FILE or DIRECTORY) are handed on as standard input.
    """
    _refuse_own_options(context.args)
    refuse_local(context.args)
    arguments, manifests = with_manifests(context.args)
    terminal = not manifests and options.at_terminal()
    argv = kubectl_argv(find(name), arguments, terminal=terminal)
    if manifests:
        with tempfile.TemporaryFile() as stream:  # its copy stays open for the next program
            stream.write(joined(manifests))
            stream.seek(0)
            os.dup2(stream.fileno(), 0)
    options.become(list(argv))


def verb_of(words: Sequence[str]) -> str:
    """Return kubectl's command among its words; empty where there is none."""
    value = False
    for word in words:
        if not value and not word.startswith("-"):
            return word
        value = word in VALUED
    return ""


def with_manifests(arguments: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Return kubectl's arguments with `-` in place of this machine's manifests, and these.

    Raises LabError for what standard input can't carry.
    """
    if verb_of(arguments) not in FILE_VERBS:
        return list(arguments), []
    words: list[str] = []
    manifests: list[Path] = []
    recursive = not {"-R", "--recursive"}.isdisjoint(arguments)
    rest = list(arguments)
    while rest and rest[0] != "--":
        word = rest.pop(0)
        flag, value = _flag(word)
        if not flag:
            words.append(word)
            continue
        parts = [word]
        if not value and rest:
            value = rest.pop(0)
            parts.append(value)
        named = [name for name in value.split(",") if name not in ("", "-")]
        local = [Path(name) for name in named if Path(name).exists()]
        if value.startswith(("http://", "https://")):
            raise LabError(
                "kubectl runs on a server of the lab, which has no way out of the lab's network.",
                f"Hand it on from here: curl -fsSL {value} | lab kubectl {arguments[0]} ... -f -",
            )
        if not local:
            words += parts
            continue
        if not manifests:
            words += [flag, "-"]
        manifests += [file for path in local for file in _files(path, recursive=recursive)]
    if manifests and words.count("-") > 1:
        raise LabError(
            "Standard input can't carry files and what is piped in besides.",
            f"Write all of it to files, or use {OWN_KUBECTL}.",
        )
    return [*words, *rest], manifests


def joined(manifests: Sequence[Path]) -> bytes:
    """Return the content of all files as one stream of documents."""
    contents = [file.read_bytes() for file in manifests]
    if len(contents) == 1:
        return contents[0]
    # The line before each keeps a stream that begins with JSON from being read as JSON alone.
    return b"".join(b"---\n" + content.rstrip() + b"\n" for content in contents)


def refuse_local(words: Sequence[str]) -> None:
    """Raise LabError for what needs a kubectl on this machine."""
    verb = verb_of(words)
    if verb in LOCAL_VERBS:
        raise LabError(
            f"`lab kubectl` runs on a server of the lab: `{verb}` {LOCAL_VERBS[verb]}.",
            f"Use {OWN_KUBECTL}.",
        )
    end = words.index("--") if "--" in words else len(words)
    for place, word in enumerate(words[:end]):
        flag, _, value = word.partition("=")
        if flag not in FILE_OPTIONS:
            continue
        value = value or (words[place + 1] if place + 1 < end else "")
        path = Path(value.rpartition("=")[2])  # --from-file also takes KEY=FILE
        if value and path.exists():
            raise LabError(
                f"kubectl runs on a server of the lab, which does not have {path} of this machine.",
                f"Hand on what it makes (lab kubectl apply -f -), or use {OWN_KUBECTL}.",
            )


def _refuse_own_options(words: Sequence[str]) -> None:
    """End where the kit's --name stands among kubectl's words, which know no such option."""
    end = words.index("--") if "--" in words else len(words)
    own = [word for word in words[:end] if word.partition("=")[0] == "--name"]
    if own and verb_of(words) not in NAMED_VERBS:
        options.misused(
            "--name stands among kubectl's words. The lab's name comes before them: "
            f"lab kubectl --name NAME {verb_of(words)} ..."
        )


def _flag(word: str) -> tuple[str, str]:
    """Return the flag for manifests that a word is or begins with, and the value in it."""
    flag, _, value = word.partition("=")
    if flag in FLAGS:
        return flag, value
    if word.startswith("-f") and len(word) > 2:
        return "-f", word.removeprefix("-f")
    return "", ""


def _files(path: Path, *, recursive: bool) -> list[Path]:
    """Return the files that kubectl would read of a path, in its order."""
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*") if recursive else path.iterdir())
    files = [file for file in found if file.suffix in SUFFIXES and file.is_file()]
    if not files:
        raise LabError(
            f"The directory {path} holds no file that ends in {', '.join(sorted(SUFFIXES))}.",
            "Name another, or add -R for the directories below it.",
        )
    return files
