"""From a run directory to index.html: gathers what the template prints."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from measurements import cases, history, intervals, published, results, run_directory
from measurements.report import about, siblings, timeline, verdict, words
from measurements.statistics import frames
from measurements.windows import Window

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
    window: Window | None
    """What the profile predicts."""
    verdict: str
    """`inside`, `outside`, or empty where nothing was predicted."""
    thesis: published.Published | None
    """The published value."""
    difference: str
    """This run minus the published value."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A timeline, drawn twice."""

    span: timeline.Span
    """The seconds that it shows."""
    wide: markupsafe.Markup
    """For a screen and for paper."""
    narrow: markupsafe.Markup
    """For a phone."""


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
    siblings: Sequence[siblings.Sibling]
    """The same case in other runs, this run first; empty where there is no other."""
    pictures: Sequence[Picture]
    """The whole course, and a close-up where its stages crowd."""


def render(rundir: Path) -> Path:
    """Write index.html into `rundir` from its history and run.json; return its path.

    What is missing (a run that broke off, a run.json that is not there) is said in the
    report; only a missing history.jsonl raises FileNotFoundError.
    """
    reader = history.Reader(rundir / run_directory.HISTORY)
    split = cases.split(reader.read())
    told = about.load(rundir)
    views = [_case_view(rundir, told, number, case) for number, case in enumerate(split, start=1)]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("measurements.report", "template"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": words.seconds, "grouped": words.grouped}
    html = environment.get_template("index.html").render(
        headline=about.headline(told),
        machines=list(about.machines(told["machine"])),
        one_machine=told["lab"].get("lab_provider") == "container",
        versions=told["versions"],
        views=views,
        verdict=verdict.judge([view.result for view in views]),
        thesis=published.THESIS,
        thesis_machines=list(published.usai2021()["machines"]),
        thesis_cell=words.thesis,
        settings=[
            (title, list(about.flat(told[key])))
            for key, title in (
                ("profile", "Timer profile"),
                ("lab", "Lab settings"),
                ("measuring", "Measuring settings"),
            )
        ],
        files=[(name, what) for name, what in _RAW_FILES.items() if (rundir / name).exists()],
        unreadable=reader.unreadable,
        cut=reader.cut,
        load_words=words.load,
        late_ms=round(frames.LATE_S * 1000),
    )
    path = rundir / run_directory.REPORT
    draft = path.with_suffix(".tmp")
    draft.write_text(html, encoding="utf-8")
    return draft.replace(path)


def _case_view(
    rundir: Path, told: Mapping[str, Any], number: int, case: cases.CaseHistory
) -> CaseView:
    measured = intervals.measure(case)
    thesis = published.stages(measured.published) if measured.published else {}
    return CaseView(
        anchor=f"case-{number}",
        result=measured,
        outcome=verdict.OUTCOMES[measured.outcome],
        rows=[
            _stage_row(position, stage, measured, thesis.get(stage))
            for position, stage in enumerate(results.STAGES, start=1)
        ],
        summary=words.summary(measured),
        siblings=siblings.of(rundir, told, measured),
        pictures=list(_pictures(number, case, measured)),
    )


def _pictures(
    number: int, case: cases.CaseHistory, measured: results.CaseResult
) -> Iterator[Picture]:
    whole = timeline.whole_span(case, measured)
    for part, span in enumerate((whole, timeline.close_up(measured, whole)), start=1):
        if span is None:
            continue
        # The drawing escapes every text that it is given.
        wide, narrow = (
            markupsafe.Markup(  # noqa: S704
                timeline.draw(
                    case, measured, span, name=f"{form}-{number}-{part}", narrow=form == "narrow"
                )
            )
            for form in ("wide", "narrow")
        )
        yield Picture(span=span, wide=wide, narrow=narrow)


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
