"""The near names of a word that names nothing."""

import difflib
from collections.abc import Iterable


def near(word: str, names: Iterable[str]) -> list[str]:
    """Return those of `names` that `word` may be a slip of, the nearest first."""
    known = list(dict.fromkeys(names))
    found = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    # Of names with a number or a hash at their end, the beginning is what is remembered.
    return found or [name for name in known if word and name.startswith(word)][:3]


def meant(word: str, names: Iterable[str]) -> str:
    """Return a sentence that asks for the near names; empty where there is none."""
    found = near(word, names)
    return f"Is {' or '.join(found)} meant?" if found else ""
