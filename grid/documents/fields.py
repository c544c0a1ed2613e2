"""Checking the fields of a document without stopping at the first that is wrong."""

from collections.abc import Mapping
from typing import Any

from grid.documents.document_error import DocumentError

_NAME_SIZE = 16


class Fields:
    """Takes fields out of a document, and collects what is wrong with it.

    Each method returns something usable whatever it finds, so that one reading finds all
    problems; check() at the end raises them together.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        """What is wrong so far, a sentence each, which begins with the place."""

    def check(self) -> None:
        """Raise DocumentError with all problems, if there are any."""
        if self.problems:
            raise DocumentError(self.problems)

    def mapping(self, value: object, where: str, keys: set[str]) -> Mapping[str, Any]:
        """Return the dict that `value` is, refusing keys outside `keys`."""
        if not isinstance(value, dict):
            self.problems.append(f"{where}: keys and values are expected")
            return {}
        unknown = sorted(str(key) for key in value.keys() - keys)
        if unknown:
            self.problems.append(
                f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(keys))}"
            )
        return value

    def sequence(self, value: object, where: str) -> list[Any]:
        """Return the list that `value` is."""
        if not isinstance(value, list):
            self.problems.append(f"{where}: a list is expected")
            return []
        return value

    def name(self, entry: Mapping[str, Any], where: str) -> str:
        """Return the entry's name."""
        return self.label(entry.get("name"), f"{where}.name")

    def label(self, value: object, where: str) -> str:
        """Return a text that fits into a channel name: 1 to 16 printable ASCII characters."""
        if not isinstance(value, str) or not value.strip():
            self.problems.append(f"{where}: a name is expected, not {value!r}")
            return "?"
        if len(value) > _NAME_SIZE or not value.isascii() or not value.isprintable():
            self.problems.append(f"{where}: {value!r} is not 1 to {_NAME_SIZE} ASCII characters")
        return value

    def integer(
        self,
        entry: Mapping[str, Any],
        key: str,
        where: str,
        low: int,
        high: int,
        default: int | None = None,
    ) -> int:
        """Return a whole number within `low` and `high`."""
        value = entry.get(key, default)
        if type(value) is int and low <= value <= high:
            return value
        self.problems.append(f"{where}.{key}: {value!r} is no whole number within {low}..{high}")
        return low

    def seconds(self, entry: Mapping[str, Any], key: str, where: str, default: float) -> float:
        """Return a number of seconds within 0.01 and 60."""
        value = entry.get(key, default)
        if type(value) in (int, float) and 0.01 <= value <= 60:
            return float(value)
        self.problems.append(f"{where}.{key}: {value!r} is no number of seconds within 0.01..60")
        return default

    def flag(self, entry: Mapping[str, Any], key: str, where: str, default: bool = False) -> bool:
        """Return true or false."""
        value = entry.get(key, default)
        if isinstance(value, bool):
            return value
        self.problems.append(f"{where}.{key}: {value!r} is neither true nor false")
        return default

    def one_of(
        self,
        entry: Mapping[str, Any],
        key: str,
        where: str,
        values: Mapping[Any, Any],
        default: Any,
    ) -> Any:
        """Return what `values` has for the text or number under `key`."""
        value = entry.get(key, default)
        # YAML reads a bare 0 as a number, and the zero sequence is called 0.
        value = "0" if value == 0 and key == "phase" else value
        if isinstance(value, (str, int)) and value in values:
            return values[value]
        known = ", ".join(str(known) for known in values)
        self.problems.append(f"{where}.{key}: {value!r} is none of {known}")
        return next(iter(values.values()))
