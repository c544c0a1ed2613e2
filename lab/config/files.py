"""Where the kit's own files are: playbooks, images, inventories, workloads."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

ROOT = _PACKAGE / "files" if (_PACKAGE / "files").is_dir() else _PACKAGE.parent
"""The folder that holds them: in an installed kit `lab/files`, in a checkout its top."""
PACKAGES = _PACKAGE.parent
"""The folder of the kit's Python packages, which images copy."""
