"""The one error that a user of the kit is meant to read."""


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
