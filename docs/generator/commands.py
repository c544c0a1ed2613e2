"""The pages of the commands: their verbs and options, from typer's and argparse's own objects."""

import argparse
import importlib
import tomllib
from collections.abc import Iterator
from typing import Any

import typer

from docs.generator import markdown, source
from docs.generator.source import ROOT

_HEAD = ("option", "meaning")


def pages() -> dict[str, str]:
    """Return file name -> content, relative to docs/reference."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    made = {}
    for name, target in project["scripts"].items():
        parts = _parts(name, target.partition(":")[0].removesuffix(".__main__"))
        made[f"commands/{name}.md"] = markdown.page(f"The command `{name}`", *parts)
    made["commands/pytest.md"] = _pytest()
    return made


def _parts(name: str, package: str) -> Iterator[str]:
    """Return a command's page, from the parser or the Typer of its package's command line."""
    for module in (f"{package}.cli", f"{package}.commands.cli"):
        if not source.file(module).is_file():
            continue
        found = importlib.import_module(module)
        if hasattr(found, "_parser"):
            yield from _argparse(found._parser(), name)
            return
        if app := _app(module):
            yield from _click(name, typer.main.get_command(app))
            return
    raise LookupError(f"{package} has no command line with a _parser() or a Typer")


def _module_of(name: str, verb: str) -> str:
    """Return the module of a verb, where the command `name` has a list of them."""
    cli = f"{name}.commands.cli"
    if not source.file(cli).is_file():
        return ""
    return str(importlib.import_module(cli).MODULES.get(verb, ""))


def _app(module: str) -> typer.Typer | None:
    """Return the Typer in a module; None where there is no such module, or none in it."""
    if not source.file(module).is_file():
        return None
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, typer.Typer):
            return value
    return None


class _Options:
    """Takes what a pytest plugin adds, in the place of pytest's parser and its groups."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def getgroup(self, *_: object, **__: object) -> "_Options":
        return self

    def addoption(self, *names: str, **attributes: Any) -> None:
        value = f" {attributes['metavar']}" if "metavar" in attributes else ""
        self.rows.append((f"`{', '.join(names)}{value}`", _sentence(attributes.get("help", ""))))

    addini = addoption


def _pytest() -> str:
    """Return the page of the options that the suites' plugin adds to pytest."""
    options = _Options()
    importlib.import_module("experiment.plugin").pytest_addoption(options)
    return markdown.page(
        "The options of `pytest`",
        "`pytest -m failover` breaks a running lab and measures its recovery. Besides pytest's own "
        "options there are these:",
        markdown.table(_HEAD, options.rows),
    )


def _click(name: str, command: Any) -> Iterator[str]:
    yield (command.help or "").strip()
    group = command if hasattr(command, "commands") else None
    yield markdown.table(_HEAD, _click_rows(command))
    if group is None:
        return
    verbs: dict[str, Any] = group.commands
    yield _index(name, {verb: _summary(one.help) for verb, one in verbs.items()})
    for verb, listed in verbs.items():
        # A verb with a file of its own is parsed there.
        app = _app(_module_of(name, verb))
        one = typer.main.get_command(app) if app else listed
        usage = " ".join([name, verb, *_click_usage(one)])
        yield f"## {name} {verb}\n\n```text\n{usage}\n```"
        yield (one.help or "").strip()
        yield markdown.table(_HEAD, _click_rows(one))
        yield from _click_examples(one)


def _click_examples(command: Any) -> Iterator[str]:
    """Yield the lines that help shows as examples, without the sign that keeps their form."""
    lines = (command.epilog or "").replace("\b", "").strip().splitlines()[1:]
    if lines:
        yield "```text\n" + "\n".join(line.strip() for line in lines) + "\n```"


def _click_usage(command: Any) -> Iterator[str]:
    if any(one.param_type_name == "option" for one in command.params):
        yield "[OPTIONS]"
    for one in command.params:
        if one.param_type_name == "argument":
            shown = (one.metavar or one.name or "").upper() + ("..." if one.nargs == -1 else "")
            yield shown if one.required else f"[{shown}]"
    if command.context_settings.get("allow_extra_args"):
        yield "..."


def _click_rows(command: Any) -> Iterator[tuple[str, str]]:
    for one in command.params:
        text = getattr(one, "help", None) or ""
        if one.param_type_name == "argument":
            yield f"`{(one.metavar or one.name or '').upper()}`", text
            continue
        names = ", ".join([*one.opts, *one.secondary_opts])
        flag = getattr(one, "is_flag", False)
        value = one.metavar or max(one.opts, key=len).lstrip("-").upper()
        shown = names if flag else f"{names} {value}"
        told = [text]
        if getattr(one, "envvar", None):
            told.append(f"Environment: `{one.envvar}`.")
        if one.default not in (None, False, "", []) and not callable(one.default) and not flag:
            told.append(f"Default: `{_relative(one.default)}`.")
        yield f"`{shown}`", " ".join(told)


def _relative(default: Any) -> str:
    return str(default).removeprefix(f"{ROOT}/")


def _argparse(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    yield (parser.description or "").strip()
    yield markdown.table(_HEAD, _argparse_rows(parser))
    verbs = _subparsers(parser)
    helps = _helps(parser)
    if verbs:
        yield _index(name, {verb: helps.get(verb, "") for verb in verbs})
    for verb, one in verbs.items():
        yield f"## {name} {verb}\n\n```text\n{_usage(name, verb, one)}\n```"
        yield _sentence(helps.get(verb, ""))
        yield markdown.table(_HEAD, _argparse_rows(one))
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```"


def _usage(name: str, verb: str, parser: argparse.ArgumentParser) -> str:
    words = [name, verb]
    if any(one.option_strings and one.dest != "help" for one in parser._actions):
        words.append("[OPTIONS]")
    words += [
        str(one.metavar or one.dest.upper()) for one in parser._actions if not one.option_strings
    ]
    return " ".join(words)


def _argparse_rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for one in parser._actions:
        if one.dest == "help" or isinstance(one, argparse._SubParsersAction):
            continue
        shown = ", ".join(one.option_strings) or str(one.metavar or one.dest.upper())
        if one.option_strings and one.nargs != 0:
            shown += f" {_value(one)}"
        needed = " Required." if one.required and one.option_strings else ""
        yield f"`{shown}`", _sentence(one.help or "") + needed


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _sentence(text: str) -> str:
    """Return a help text as a sentence; names such as openPDC keep their first letter."""
    text = text.replace("%%", "%").strip()
    word = text.partition(" ")[0]
    if word.isalpha() and word.islower():
        text = text[:1].upper() + text[1:]
    return text if not text or text.startswith("(") or text.endswith(".") else f"{text}."


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for one in parser._actions:
        if isinstance(one, argparse._SubParsersAction):
            found: dict[str, argparse.ArgumentParser] = dict(one.choices)
            return found
    return {}


def _helps(parser: argparse.ArgumentParser) -> dict[str, str]:
    for one in parser._actions:
        if isinstance(one, argparse._SubParsersAction):
            return {choice.dest: choice.help or "" for choice in one._choices_actions}
    return {}


def _index(name: str, verbs: dict[str, str]) -> str:
    return markdown.table(
        ("command", "what it does"),
        (
            (f"[`{name} {verb}`]({markdown.anchor(f'{name} {verb}')})", text)
            for verb, text in verbs.items()
        ),
    )


def _summary(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())
