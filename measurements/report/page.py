"""From a run directory to index.html: gathers what the template prints."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from measurements import cases, history, intervals, published, results
from measurements.report import timeline, words

_OUTCOMES = {"passed": "passed", "failed": "failed", "aborted": "broke off"}
_RAW_FILES = {
    "history.jsonl": "every event as it was recorded, one a line; this report names its lines",
    "results.json": "every figure of this report",
    "junit.xml": "the test runner's verdicts",
    "run.json": "machine, versions and settings",
}


@dataclass(frozen=True, kw_only=True)
class StageRow:
    """One line of a case's table of intervals."""

    number: int
    """The stage's mark in the timeline."""
    title: str
    """What the stage is."""
    interval: results.Interval
    """This run's value."""
    window: Mapping[str, float | str] | None
    """What the profile predicts."""
    verdict: str
    """`inside`, `outside`, or empty where nothing was predicted."""
    thesis: published.Published | None
    """The published value."""
    difference: str
    """This run minus the published value."""


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """One case as the template prints it."""

    anchor: str
    """Its id on the page."""
    result: results.CaseResult
    """Its figures."""
    outcome: str
    """Its outcome in words."""
    rows: Sequence[StageRow]
    """Its table of intervals."""
    summary: str
    """The sentence below its picture."""
    wide: markupsafe.Markup
    """The picture for a screen and for paper."""
    narrow: markupsafe.Markup
    """The picture for a phone."""


def render(rundir: Path) -> Path:
    """Write index.html into `rundir` from its history and run.json; return its path.

    What is missing (a run that broke off, a run.json that is not there) is said in the
    report; only a missing history.jsonl raises FileNotFoundError.
    """
    reader = history.Reader(rundir / "history.jsonl")
    split = cases.split(reader.read())
    about = _about(rundir)
    views = [_case_view(number, case) for number, case in enumerate(split, start=1)]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("measurements.report", "template"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": words.seconds, "grouped": words.grouped}
    html = environment.get_template("index.html").render(
        about=about,
        views=views,
        verdict=_verdict([view.result for view in views]),
        thesis=published.THESIS,
        thesis_machines=published.usai2021()["machines"],
        thesis_cell=words.thesis,
        settings=[
            (title, list(_flat(about.get(key, {}))))
            for key, title in (
                ("profile", "Timer profile"),
                ("lab", "Lab settings"),
                ("measuring", "Measuring settings"),
            )
        ],
        files=[(name, what) for name, what in _RAW_FILES.items() if (rundir / name).exists()],
        unreadable=reader.unreadable,
        cut=reader.cut,
        stages=results.STAGES,
    )
    path = rundir / "index.html"
    draft = path.with_suffix(".tmp")
    draft.write_text(html, encoding="utf-8")
    return draft.replace(path)


def _about(rundir: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((rundir / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        about = {}
    return {"name": rundir.resolve().name, "started": "", "machine": {}, "versions": {}} | about


def _case_view(number: int, case: cases.Case) -> CaseView:
    measured = intervals.measure(case)
    thesis = published.for_case(node=measured.node, recovery=measured.recovery)
    return CaseView(
        anchor=f"case-{number}",
        result=measured,
        outcome=_OUTCOMES[measured.outcome],
        rows=[
            _stage_row(position, stage, measured, thesis.get(stage))
            for position, stage in enumerate(results.STAGES, start=1)
        ],
        summary=words.summary(measured),
        wide=markupsafe.Markup(  # noqa: S704 - svg escapes every text it is given
            timeline.draw(case, measured, name=f"wide-{number}", narrow=False)
        ),
        narrow=markupsafe.Markup(  # noqa: S704
            timeline.draw(case, measured, name=f"narrow-{number}", narrow=True)
        ),
    )


def _stage_row(
    number: int, stage: str, measured: results.CaseResult, thesis: published.Published | None
) -> StageRow:
    window = measured.windows.get(stage)
    verdict = ""
    if window is not None:
        verdict = "outside" if measured.within(stage) else "inside"
    interval = measured.intervals[stage]
    return StageRow(
        number=number,
        title=results.STAGES[stage],
        interval=interval,
        window=window,
        verdict=verdict,
        thesis=thesis,
        difference=words.difference(interval.seconds, thesis.seconds if thesis else None),
    )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a reader wants to know first."""

    look: str
    """`good` or `bad`."""
    sentence: str
    """How the cases ended."""
    tiles: Sequence[tuple[str, str, str]]
    """Figure, what it is, and where it comes from."""


def _verdict(measured: Sequence[results.CaseResult]) -> Verdict:
    passed = sum(case.outcome == "passed" for case in measured)
    if not measured:
        sentence = "No case was run."
    elif passed == len(measured):
        sentence = "The case passed." if passed == 1 else f"All {passed} cases passed."
    else:
        bad = [f"{c.name} {_OUTCOMES[c.outcome]}" for c in measured if c.outcome != "passed"]
        sentence = f"{passed} of {len(measured)} cases passed; {words.listed(bad)}."
    return Verdict(
        look="good" if measured and passed == len(measured) else "bad",
        sentence=sentence,
        tiles=list(_tiles(measured)),
    )


def _tiles(measured: Sequence[results.CaseResult]) -> Iterator[tuple[str, str, str]]:
    streams = [case for case in measured if case.frames is not None]
    if streams:
        worst = max(streams, key=lambda case: case.frames.gap_s if case.frames else 0.0)
        gap_s = worst.frames.gap_s if worst.frames else 0.0
        yield words.seconds(gap_s), "longest time without a frame", worst.name
        lost = sum(case.frames.lost for case in streams if case.frames)
        expected = sum(case.frames.expected for case in streams if case.frames)
        yield words.grouped(lost), "frames lost", f"of {words.grouped(expected)}, all cases"
    databases = [case.sql for case in measured if case.sql and case.sql.checked is not None]
    if databases:
        missing = {row for sql in databases for row in sql.missing}
        most = max(sql.checked or 0 for sql in databases)
        yield words.grouped(len(missing)), "acknowledged rows missing", f"of {words.grouped(most)}"
    flapped = sorted({flap.node for case in measured for flap in case.false_not_ready})
    if measured:
        where = words.listed(flapped) if flapped else "no node but the broken one left Ready"
        yield str(len(flapped)), "false alarms", where


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield f"{prefix}{name}", ", ".join(map(str, value))
        else:
            yield f"{prefix}{name}", "" if value is None else str(value)
