"""The one error of documents that people write."""

from collections.abc import Sequence


class DocumentError(ValueError):
    """A document is wrong; `problems` names every place, a sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))
