"""The answer to a shell's Tab, in the forms that the scripts of `--show-completion` expect."""

import shlex
from collections.abc import Mapping, Sequence

from lab.commands.completion import vocabulary
from lab.nodes import state
from lab.nodes.state import StateDirectory

VARIABLE = "_LAB_COMPLETE"
"""The environment variable in which a shell's script says what it asks for."""
SHELLS = ("bash", "zsh", "fish")


def wanted(environment: Mapping[str, str]) -> str:
    """Return the shell that asks for words; empty where none does."""
    shell = environment.get(VARIABLE, "").removeprefix("complete_")
    return shell if shell in SHELLS else ""


def main(environment: Mapping[str, str]) -> int:
    """Print the words that fit, and return the exit code."""
    shell = wanted(environment)
    found = candidates(*_typed(shell, environment), environment)
    if environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return 0 if found else 1
    if shell == "zsh":
        words = "\n".join(f'"{word}"' for word in found)
        print(f"_arguments '*: :(({words}))'" if found else "_files")
    elif found:
        print("\n".join(found))
    return 0


def candidates(words: Sequence[str], begun: str, environment: Mapping[str, str]) -> list[str]:
    """Return what may stand in the place of `begun`, after the `words` that follow `lab`."""
    if words and words[-1] in vocabulary.VALUED:
        return _fitting(state.known_labs() if words[-1] == "--name" else (), begun)
    verb, after = _split(words)
    if verb is None:
        options = (*vocabulary.BEFORE_THE_VERB, *vocabulary.HELP)
        return _fitting(options if begun.startswith("-") else tuple(vocabulary.OPTIONS), begun)
    positional = _positional(after)
    if verb in ("ssh", "kubectl") and len(positional) > (verb == "ssh"):
        return []  # from here on the words are another program's
    if begun.startswith("-"):
        return _fitting((*vocabulary.OPTIONS.get(verb, ()), *vocabulary.HELP), begun)
    return [] if positional else _fitting(_first(verb, _lab_of(words, environment)), begun)


def _first(verb: str, lab: str) -> Sequence[str]:
    """Return what the first word after a verb may be."""
    match verb:
        case "ssh" | "remove-node":
            return tuple(StateDirectory(lab).hosts())
        case "logs":
            return (*StateDirectory(lab).hosts(), *vocabulary.WORKLOADS)
        case "help":
            return tuple(vocabulary.OPTIONS)
    return ()


def _typed(shell: str, environment: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the whole words after `lab`, and the one that is being typed."""
    if shell == "bash":
        words = environment.get("COMP_WORDS", "").split("\n")
        at = int(environment.get("COMP_CWORD") or len(words))
        return words[1:at], words[at] if at < len(words) else ""
    line = environment.get("_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(line)
    except ValueError:  # a quote that is still open
        words = line.split()
    if line.endswith(" ") or len(words) < 2:
        return words[1:], ""
    return words[1:-1], words[-1]


def _split(words: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the verb and what follows it."""
    positional = _positional(words)
    if not positional:
        return None, ()
    at = positional[0]
    return words[at], words[at + 1 :]


def _positional(words: Sequence[str]) -> list[int]:
    """Return the places of the words that are neither options nor an option's value."""
    return [
        place
        for place, word in enumerate(words)
        if not word.startswith("-") and not (place and words[place - 1] in vocabulary.VALUED)
    ]


def _lab_of(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the lab that the line is about."""
    named = [words[place + 1] for place, word in enumerate(words[:-1]) if word == "--name"]
    named += [word.partition("=")[2] for word in words if word.startswith("--name=")]
    return named[-1] if named else environment.get("LAB_NAME") or "blackstart"


def _fitting(words: Sequence[str], begun: str) -> list[str]:
    return [word for word in words if word.startswith(begun)]
