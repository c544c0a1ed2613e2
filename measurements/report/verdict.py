"""The head of the report: how the cases ended, and the figures of the whole run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from measurements import results
from measurements.report import words

OUTCOMES = {"passed": "passed", "failed": "failed", "aborted": "broke off"}
"""A case's outcome as the report says it."""


@dataclass(frozen=True, kw_only=True)
class OverallVerdict:
    """The head of the report."""

    look: str
    """`good` or `bad`."""
    sentence: str
    """How the cases ended."""
    tiles: Sequence[tuple[str, str, str]]
    """Figure, what it is, and where it comes from."""


def judge(measured: Sequence[results.CaseResult]) -> OverallVerdict:
    """Return the verdict on the cases of a run."""
    passed = sum(case.outcome == "passed" for case in measured)
    if not measured:
        sentence = "No case was run."
    elif passed == len(measured):
        sentence = "The case passed." if passed == 1 else f"All {passed} cases passed."
    else:
        bad = [f"{c.name} {OUTCOMES[c.outcome]}" for c in measured if c.outcome != "passed"]
        sentence = f"{passed} of {len(measured)} cases passed; {words.listed(bad)}."
    return OverallVerdict(
        look="good" if measured and passed == len(measured) else "bad",
        sentence=sentence,
        tiles=list(_tiles(measured)),
    )


def _tiles(measured: Sequence[results.CaseResult]) -> Iterator[tuple[str, str, str]]:
    streams = [case for case in measured if case.frames is not None]
    if streams:
        worst = max(streams, key=lambda case: case.frames.gap_s if case.frames else 0.0)
        gap_s = worst.frames.gap_s if worst.frames else 0.0
        yield words.seconds(gap_s), "longest outage of the stream", worst.name
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
