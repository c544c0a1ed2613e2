"""The one error that a user of the kit is meant to read."""

from collections.abc import Sequence
from textwrap import indent

EVIDENCE_LIMIT = 8000
"""Characters of evidence that an error shows."""


class LabError(Exception):
    """Something the user can act on: what happened, what to do, and the evidence.

    `message` is one sentence that says what happened and where; `cure` one that
    says what to do; `evidence` is printed below them as it is (journal lines, pod
    events, node conditions).
    """

    def __init__(self, message: str, cure: str = "", *, evidence: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.evidence = evidence

    def __str__(self) -> str:
        parts = [self.message, self.cure, self.evidence]
        return "\n".join(part for part in parts if part)


def together(errors: Sequence[LabError], headline: str) -> LabError:
    """Return one error that tells of all `errors`, each with its cure; of one, that itself."""
    if len(errors) == 1:
        return errors[0]
    told = (
        indent(str(error), "   ").replace("   ", f"{number}. ", 1)
        for number, error in enumerate(errors, 1)
    )
    return LabError(f"{headline}, for {len(errors)} reasons:", "\n".join(told))


def shortened(text: str, limit: int = EVIDENCE_LIMIT) -> str:
    """Keep the beginning, which has the reason, and the end, which has the newest lines."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[...]\n{text[-half:]}"
