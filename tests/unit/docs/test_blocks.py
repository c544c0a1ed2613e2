"""How commands stand in the documents, and how tests read them."""

from pathlib import Path

import pytest

from tests.docs import blocks
from tests.docs.blocks import Block
from tests.kit import ROOT

PAGES = blocks.pages(ROOT)
FENCE = "```"


def page(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "page.md"
    file.write_text(text)
    return file


def only(tmp_path: Path, text: str) -> Block:
    (block,) = blocks.read(page(tmp_path, text), tmp_path)
    return block


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_block_of_commands_says_whether_it_is_run(file: Path) -> None:
    assert [told for block in blocks.read(file, ROOT) if (told := block.problem())] == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_commands_hide_in_indented_code(file: Path) -> None:
    assert blocks.loose(file, ROOT) == []


def test_most_blocks_of_commands_are_run() -> None:
    commands = [
        block
        for file in PAGES
        for block in blocks.read(file, ROOT)
        if block.language in blocks.COMMANDS
    ]
    left_out = [block.where for block in commands if not block.is_run]
    assert len(left_out) < len(commands) / 2, left_out


@pytest.mark.parametrize(
    ("comment", "is_run", "needs_lab"),
    [
        ("<!-- run -->", True, False),
        ("<!-- run: lab -->", True, True),
        ("<!-- not run: it takes ten minutes -->", False, False),
        ("<!-- not run: it takes\nten minutes -->", False, False),
    ],
)
def test_a_comment_decides(tmp_path: Path, comment: str, is_run: bool, needs_lab: bool) -> None:
    block = only(tmp_path, f"Text.\n\n{comment}\n{FENCE}sh\ntrue\n{FENCE}\n")
    assert block.problem() == ""
    assert (block.is_run, block.needs_lab) == (is_run, needs_lab)


@pytest.mark.parametrize(
    "comment",
    ["", "<!-- run -->\n", "<!-- not run -->", "<!-- not run:  -->", "<!-- run: root -->"],
    ids=["none", "not directly before", "no reason", "empty reason", "unknown need"],
)
def test_a_block_without_its_comment_is_named(tmp_path: Path, comment: str) -> None:
    block = only(tmp_path, f"Text.\n\n{comment}\n{FENCE}sh\ntrue\n{FENCE}\n")
    assert block.where.startswith("page.md:")
    assert "directly before commands stands" in block.problem()


@pytest.mark.parametrize("language", ["", "bash", "shell"])
def test_a_language_is_named_by_its_one_name(tmp_path: Path, language: str) -> None:
    assert "is none of" in only(tmp_path, f"{FENCE}{language}\nx\n{FENCE}\n").problem()


def test_what_a_terminal_shows_is_told_from_what_is_typed(tmp_path: Path) -> None:
    session = (
        "$ cat >grid.yml <<EOF\n> stream: {idcode: 10}\n>\n> EOF\n"
        "$ pdc serve --topology grid.yml \\\n    --log debug &\n"
        "> a line of output that looks like more\n"
        "$ echo '$ no command'\n$ no command\n"
    )
    block = only(tmp_path, f"<!-- run -->\n{FENCE}console\n{session}{FENCE}\n")
    assert block.script.startswith("cat >grid.yml <<EOF\nstream: {idcode: 10}\n\nEOF\n")
    assert "pdc serve --topology grid.yml \\\n    --log debug &\n" in block.script


def test_a_session_without_commands_is_named(tmp_path: Path) -> None:
    block = only(tmp_path, f"<!-- run -->\n{FENCE}console\njust output\n{FENCE}\n")
    assert "has no commands" in block.problem()


def test_a_block_in_a_list_loses_its_indentation(tmp_path: Path) -> None:
    block = only(
        tmp_path,
        "1. Make it:\n\n"
        f"   <!-- run -->\n   {FENCE}sh\n   if true; then\n     ls\n   fi\n   {FENCE}\n",
    )
    assert (block.line, block.script) == (4, "if true; then\n  ls\nfi\n")
    assert block.is_run


def test_a_block_without_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"page\.md:1: the block has no end"):
        blocks.read(page(tmp_path, f"{FENCE}sh\ntrue\n"), tmp_path)


def test_indented_code_is_found_but_not_in_lists_and_blocks(tmp_path: Path) -> None:
    text = f"Text:\n\n    make\n\n- a list\n\n    goes on\n\n{FENCE}text\n\n    within\n{FENCE}\n"
    assert blocks.loose(page(tmp_path, text), tmp_path) == [
        "page.md:3: code is fenced, not indented"
    ]
