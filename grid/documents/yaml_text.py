"""YAML text to plain dicts and lists."""

from pathlib import Path

import yaml

from grid.documents.document_error import DocumentError


def parse(text: str) -> object:
    """Return what a YAML text says; DocumentError where it is no YAML."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise DocumentError([f"not YAML: {error}".replace("\n", " ")]) from error


def read(path: Path) -> str:
    """Return the text of a file; OSError where there is none, DocumentError if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError([f"not YAML: {error}"]) from error
