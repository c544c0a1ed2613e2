from pathlib import Path

import pytest

from grid.documents import yaml_text
from grid.documents.document_error import DocumentError
from grid.documents.fields import Fields


def test_all_problems_of_a_document_are_raised_together():
    fields = Fields()
    entry = fields.mapping({"rate": 0, "who": 1}, "stream", {"rate", "name"})
    fields.integer(entry, "rate", "stream", 1, 1000)
    fields.name(entry, "stream")
    with pytest.raises(DocumentError) as caught:
        fields.check()
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "stream",
        "stream.rate",
        "stream.name",
    ]


def test_a_document_without_problems_passes():
    Fields().check()


@pytest.mark.parametrize("text", ["a: [1", "at: 2026-13-45T00:00:00Z"])
def test_what_is_no_yaml_is_a_document_error_of_one_line(text: str):
    with pytest.raises(DocumentError, match=r"^not YAML: ") as caught:
        yaml_text.parse(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_utf_8_is_a_document_error(tmp_path: Path):
    path = tmp_path / "topology.yml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DocumentError, match="not YAML"):
        yaml_text.read(path)
