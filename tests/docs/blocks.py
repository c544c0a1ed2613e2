"""The command blocks of the documents: which there are, and which of them a test runs.

Directly before each block of `sh` or `console` stands a comment that says so:

    <!-- run -->                 it needs what `make lab-up` installs
    <!-- run: lab -->            it needs a running lab besides
    <!-- not run: REASON -->     no test runs it, for this reason

A block of `sh` is all commands. In one of `console`, commands stand after `$ ` and go on after
`> ` or a backslash; the other lines are what they print. Other languages are no commands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMMANDS = ("sh", "console")
OTHERS = (
    *("css", "csv", "html", "ini", "jinja", "json", "makefile", "mermaid"),
    *("python", "sql", "text", "toml", "xml", "yaml"),
)
"""Languages that are no commands; any other name of a language is a mistake."""
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[^`\s]*)[^`]*$")
_COMMENT = re.compile(r"^<!-- (?:run(?P<lab>: lab)?|not run: (?P<reason>\S.*)) -->$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page."""

    page: str
    """The page's path from the top of the checkout."""
    line: int
    """The line of its opening fence, from 1."""
    language: str
    """What stands after the fence."""
    text: str
    """What stands within, without the fence's indentation."""
    comment: str
    """The comment directly before it, or nothing."""

    @property
    def where(self) -> str:
        """Return the block's place as `page:line`."""
        return f"{self.page}:{self.line}"

    @property
    def is_run(self) -> bool:
        """Return whether a test runs it."""
        return self.language in COMMANDS and self.comment.startswith("<!-- run")

    @property
    def needs_lab(self) -> bool:
        """Return whether it is run, and with a lab."""
        return self.is_run and self.comment == "<!-- run: lab -->"

    @property
    def script(self) -> str:
        """Return its commands, as bash reads them."""
        return self.text if self.language == "sh" else "".join(_typed(self.text))

    def problem(self) -> str:
        """Return what is wrong with how the block is written, or nothing."""
        if self.language in OTHERS:
            return ""
        if self.language not in COMMANDS:
            known = ", ".join((*COMMANDS, *OTHERS))
            return f"{self.where}: the language {self.language!r} is none of {known}"
        if not _COMMENT.match(self.comment):
            return (
                f"{self.where}: directly before commands stands <!-- run -->, <!-- run: lab --> "
                f"or <!-- not run: REASON -->, not {self.comment or 'nothing'!r}"
            )
        if not self.script.strip():
            return f"{self.where}: has no commands; in console they stand after `$ `"
        return ""


def pages(root: Path) -> list[Path]:
    """Return the documents of the checkout at `root` whose commands are tested."""
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]


def read(page: Path, root: Path) -> list[Block]:
    """Return the fenced blocks of `page`, in order. A fence that does not end is an error."""
    return list(_blocks(page.read_text(), str(page.relative_to(root))))


def loose(page: Path, root: Path) -> list[str]:
    """Return the places of code that is indented in place of fenced, and so says no language."""
    found = []
    before = ""
    fence = ""
    in_list = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if match := _FENCE.match(line):
            fence = "" if fence and line.strip() == fence else fence or match["fence"]
        elif not fence and line.strip():
            indented = line.startswith("    ")
            in_list = bool(re.match(r" {0,3}([-*+]|\d+[.)]) ", line)) or (
                in_list and line.startswith("  ")
            )
            if indented and not in_list and (not before.strip() or before.startswith("#")):
                found.append(f"{page.relative_to(root)}:{number}: code is fenced, not indented")
        before = line
    return found


def _blocks(text: str, page: str) -> Iterator[Block]:
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        if not opening:
            number += 1
            continue
        ends = (
            after
            for after in range(number + 1, len(lines))
            if lines[after].strip() == opening["fence"]
        )
        end = next(ends, None)
        if end is None:
            raise ValueError(f"{page}:{number + 1}: the block has no end")
        indent = len(opening["indent"])
        yield Block(
            page=page,
            line=number + 1,
            language=opening["language"],
            text="".join(f"{line[indent:]}\n" for line in lines[number + 1 : end]),
            comment=_comment(lines[:number]),
        )
        number = end + 1


def _comment(before: list[str]) -> str:
    """Return the HTML comment that ends on the last of the lines `before`, on one line."""
    if not before or not before[-1].strip().endswith("-->"):
        return ""
    parts: list[str] = []
    for line in reversed(before):
        parts.insert(0, line.strip())
        if "<!--" in line:
            return " ".join(parts)
    return ""


def _typed(text: str) -> Iterator[str]:
    """Give the lines of a session at a terminal that somebody types."""
    goes_on = backslash = False
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            typed, goes_on = line[2:], True
        elif goes_on and (line.startswith("> ") or line.rstrip() == ">"):
            typed = line[2:] or "\n"
        elif backslash:
            typed = line
        else:
            goes_on = backslash = False
            continue
        backslash = typed.rstrip("\n").endswith("\\")
        yield typed
