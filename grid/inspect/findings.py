"""The kinds of findings about a stream, and the report of them."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field


class FindingKind(enum.StrEnum):
    """The kinds of findings; `check --allow KIND` lets one pass."""

    CAPTURE = "capture"
    """The recording itself lacks something."""
    CRC = "crc"
    """Frames with a wrong CRC."""
    GARBAGE = "garbage"
    """Bytes that are no frame."""
    CONFIGURATION = "configuration"
    """No configuration, an unreadable one, or one that contradicts itself or the data."""
    CHANGE = "change"
    """The configuration changed."""
    NAMES = "names"
    """Names or ids that are empty, double or reserved."""
    IDCODE = "idcode"
    """Frames of another stream, or two senders of one."""
    GAPS = "gaps"
    """Data frames are missing."""
    ORDER = "order"
    """Data frames came twice, or not in the order of their time stamps."""
    RATE = "rate"
    """Time stamps or arrivals don't follow DATA_RATE."""
    CLOCK = "clock"
    """A sender's clock is not locked to UTC, by time quality or STAT."""
    STAT = "stat"
    """Errors, absent data, triggers."""
    VALUES = "values"
    """Good by STAT, but without a value."""
    LATENCY = "latency"
    """Frames arrive before their time, or their clocks can't be compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that is wrong."""

    kind: FindingKind
    """What kind of thing."""
    what: str
    """One sentence."""


@dataclass(kw_only=True, slots=True)
class StreamReport:
    """The facts and findings about one stream."""

    stream: str
    """The address of its sender, and its IDCODE."""
    facts: list[str] = field(default_factory=list)
    """What it is, sentence by sentence."""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with it."""

    def add(self, kind: FindingKind, what: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(kind=kind, what=what))

    def unexcused(self, allowed: Sequence[FindingKind]) -> list[Finding]:
        """Return the findings of kinds that are not allowed."""
        return [finding for finding in self.findings if finding.kind not in allowed]

    def text(self, allowed: Sequence[FindingKind]) -> str:
        """Return the report as lines of text."""
        lines = [self.stream, *(f"    {fact}" for fact in self.facts)]
        for finding in self.findings:
            mark = "allowed" if finding.kind in allowed else "WRONG"
            lines.append(f"    {mark} {finding.kind}: {finding.what}")
        if not self.findings:
            lines.append("    nothing wrong")
        return "\n".join(lines)

    def document(self, allowed: Sequence[FindingKind]) -> dict[str, object]:
        """Return the report for JSON."""
        return {
            "stream": self.stream,
            "facts": self.facts,
            "findings": [
                {
                    "kind": finding.kind.value,
                    "what": finding.what,
                    "allowed": finding.kind in allowed,
                }
                for finding in self.findings
            ],
        }
