"""The generated pages of docs/reference say what the code says."""

import pytest

from docs.generator.pages import REFERENCE, generated, pages

_CURE = "Run `python -m docs.generator`, and commit what it writes."


@pytest.fixture(scope="module")
def wanted() -> dict[str, str]:
    return pages()


def test_every_page_is_what_the_code_says(wanted: dict[str, str]) -> None:
    differing = [
        name
        for name, text in wanted.items()
        if not (REFERENCE / name).is_file() or (REFERENCE / name).read_text() != text
    ]
    assert not differing, f"{', '.join(differing)} differ from the code. {_CURE}"


def test_no_page_is_left_of_something_that_is_gone(wanted: dict[str, str]) -> None:
    assert generated() - wanted.keys() == set(), _CURE
