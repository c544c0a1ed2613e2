"""Reading YAML that people write: every way in which it can be wrong is a sentence."""

import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from lab.console.errors import LabError

SIZE_LIMIT = 1 << 20
"""Bytes; what describes a lab takes some thousand."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which otherwise lets the last of two equal keys win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", key_node.start_mark
                )
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep)


def load(file: Path) -> Any:
    """Return what `file` holds. Raises LabError where it can't be read, or is no YAML."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise LabError(f"{file} is no file.", "Put a file of YAML there.")
        with file.open("rb") as content:
            text = content.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LabError(
            f"{file} can't be read: {error.strerror}.", "Put a file of YAML there, for this user."
        ) from None
    if len(text) > SIZE_LIMIT:
        raise LabError(f"{file} is larger than 1 MiB.", "Put the file of YAML there that is meant.")
    return parse(text, origin=str(file))


def parse(text: str | bytes, *, origin: str) -> Any:
    """Return what `text` says; `origin` names it in the LabError where it is no YAML."""
    try:
        if isinstance(text, str):
            # Words of the command line, whatever the locale took their bytes for.
            text = text.encode(errors="surrogateescape")
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except RecursionError:
        why = "it is nested too deeply"
    # Besides its own errors, PyYAML lets through those of Python for values such as `!!bool x`.
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError) as error:
        why = str(error)
    raise LabError(f"{origin} is no valid YAML.", "Mend it there.", evidence=why) from None
