"""The report, as a file: whole, self-contained, honest about what is missing."""

import html.parser
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from histories import Story, thesis_worker_isolated

from measurements import published, results
from measurements.report import render, words
from measurements.run_directory import write_results


class Page(html.parser.HTMLParser):
    """What a test asks of a page."""

    VOID = frozenset({"meta", "br", "link", "img", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self._open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self._open.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in {"href", "src", "xlink:href"} and value:
                self.links.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(path: Path) -> Page:
    return Page(render(path).read_text(encoding="utf-8"))


@pytest.fixture
def whole(story: Story, tmp_path: Path) -> Page:
    thesis_worker_isolated(story)
    return page_of(tmp_path)


def test_the_page_needs_nothing_but_itself(whole: Page) -> None:
    assert not {"script", "link", "img", "iframe"} & set(whole.tags)
    outside = [link for link in whole.links if not link.startswith(("#", "history.jsonl"))]
    assert outside == []


def test_every_id_is_unique_and_every_anchor_exists(whole: Page) -> None:
    assert len(set(whole.ids)) == len(whole.ids)
    for link in whole.links:
        if link.startswith("#"):
            assert link[1:] in whole.ids


def test_the_pictures_are_well_formed_and_say_what_they_show(story: Story, tmp_path: Path) -> None:
    thesis_worker_isolated(story)
    text = render(tmp_path).read_text(encoding="utf-8")
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) >= 2
    for picture in pictures:
        root = ET.fromstring(picture)  # noqa: S314 - our own output
        assert root.get("role") == "img"
        described = root.find("{http://www.w3.org/2000/svg}desc")
        assert described is not None
        assert "37.2 s" in (described.text or "")
        for ref in re.findall(r"url\(#([^)]+)\)", picture):
            assert f'id="{ref}"' in picture


def test_verdict_values_windows_and_thesis_stand_in_the_page(whole: Page) -> None:
    for words_ in (
        "The case passed.",
        "37.2 s",
        "29.0 to 48.0 s",
        "inside",
        "about 60 s",
        "by design",
        "read from the text",
        "\u22122.8 s",
        "3\u202f129",
        "section 5.1.1",
    ):
        assert words_ in whole.text, words_


def test_what_a_test_says_cannot_break_the_page(story: Story, tmp_path: Path) -> None:
    story.begin(title="<script>alert(1)</script> & more", app="<b>app</b>")
    story.pod(-5, "x", app="<b>app</b>", name="<i>pod</i>")
    story.fault(name="</svg><script>")
    story.end(5, "failed", "assert '<script>' in \"&\"")
    page = page_of(tmp_path)
    assert "script" not in page.tags
    assert "i" in page.tags  # the key's swatches
    assert "<script>alert(1)</script> & more" in page.text
    assert "<i>pod</i>" in page.text


def test_a_failed_case_leads_the_page(story: Story, tmp_path: Path) -> None:
    thesis_worker_isolated(story)
    story.recorder.case = "pdc-killed"
    story.begin(100, recovery="restart", published="container_restart")
    story.end(120, "failed", "AssertionError: it did not come back")
    page = page_of(tmp_path)
    assert "1 of 2 cases passed; pdc-killed failed." in page.text
    assert "AssertionError: it did not come back" in page.text
    assert "no number printed" in page.text


@pytest.mark.parametrize("upto", [1, 2, 30, 594, 600, 662, 668, 680, 2000])
def test_a_run_that_broke_off_anywhere_has_a_report(
    story: Story, tmp_path: Path, upto: int
) -> None:
    thesis_worker_isolated(story)
    lines = story.path.read_bytes().splitlines(keepends=True)
    story.path.write_bytes(b"".join(lines[:upto]) + lines[upto][:20])
    page = page_of(tmp_path)
    assert "0 of 1 cases passed; worker-isolated broke off." in page.text
    assert "The history is not whole." in page.text


def test_an_empty_history_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("")
    assert "No case was run." in page_of(tmp_path).text


def test_no_history_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        render(tmp_path)


def test_a_fault_in_a_case_without_probes_has_a_report(story: Story, tmp_path: Path) -> None:
    story.begin()
    story.fault()
    story.end(5)
    page = page_of(tmp_path)
    assert "No frame reached the consumer" in page.text


def test_a_false_alarm_is_told_in_tile_picture_and_text(story: Story, tmp_path: Path) -> None:
    thesis_worker_isolated(story)
    story.node(50, "server-2", "Unknown")
    story.node(55, "server-2", "True")
    page = page_of(tmp_path)
    assert "Not touched by the fault, and yet not Ready for a while: server-2." in page.text
    assert "server-2 became Ready=Unknown 50.0 s after the fault" in page.text


def test_the_command_makes_results_and_page(story: Story, tmp_path: Path) -> None:
    thesis_worker_isolated(story)
    argv = [sys.executable, "-m", "measurements.report", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "index.html")
    assert (tmp_path / "results.json").exists()


def test_the_command_says_what_is_no_run(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "measurements.report", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "holds no history.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


def test_published_values_name_their_place_and_kind() -> None:
    isolated = published.stages("node_isolated")
    assert {stage: (p.seconds, p.kind) for stage, p in isolated.items()} == {
        "not_ready": (40, "by design"),
        "evicted": (60, "by design"),
        "started": (60, "read from the text"),
    }
    restarted = published.stages("container_restart")
    assert restarted["started"].seconds is None
    assert restarted["started"].where == "figure 6.11 a"
    assert published.stages("unheard_of") == {}
    assert published.keys() == ("container_restart", "node_isolated")
    assert set(isolated) | set(restarted) <= set(results.STAGES)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "\u2013"), (0.018, "0.02 s"), (9.99, "9.99 s"), (9.999, "10.0 s"), (62.604, "62.6 s")],
)
def test_durations(value: float | None, expected: str) -> None:
    assert words.seconds(value) == expected


def run_of(
    reports: Path, name: str, started: str, profile: str, cores: int = 2
) -> tuple[Path, Story]:
    directory = reports / name
    directory.mkdir()
    about = {
        "started": started,
        "profile": {"name": profile},
        "lab": {"distribution": "kubeadm"},
        "machine": {"cpu_cores": cores},
    }
    (directory / "run.json").write_text(json.dumps(about))
    told = Story(directory / "history.jsonl")
    thesis_worker_isolated(told)
    told.recorder.close()
    write_results(directory)
    return directory, told


def test_the_newest_older_run_of_another_kind_stands_beside_a_case(tmp_path: Path) -> None:
    run_of(tmp_path, "1-floor", "2026-11-22T01:00:00Z", "floor")
    run_of(tmp_path, "2-floor", "2026-11-22T02:00:00Z", "floor", cores=4)
    run_of(tmp_path, "3-thesis", "2026-11-22T03:00:00Z", "thesis")
    (tmp_path / "4-broken").mkdir()
    (tmp_path / "4-broken" / "results.json").write_text("{")
    (tmp_path / "latest").symlink_to("2-floor")
    own, _ = run_of(tmp_path, "5-thesis", "2026-11-22T05:00:00Z", "thesis")
    run_of(tmp_path, "6-fast", "2026-11-22T06:00:00Z", "fast")
    text = page_of(own).text
    assert "The same case in other runs" in text
    assert "2-floor; on another machine: don't compare" in text
    for absent in ("1-floor", "3-thesis", "6-fast", "4-broken"):
        assert absent not in text


def test_a_run_alone_has_no_table_of_others(tmp_path: Path) -> None:
    own, _ = run_of(tmp_path, "5-thesis", "2026-11-22T05:00:00Z", "thesis")
    assert "The same case in other runs" not in page_of(own).text
