"""The kit's own files: playbooks, images, inventories, workloads."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

ROOT = _PACKAGE / "files" if (_PACKAGE / "files").is_dir() else _PACKAGE.parent
"""The folder that holds them: in an installed kit `lab/files`, in a checkout its top."""
IMAGES = ROOT / "images"
"""A folder for each image and each program that is built."""
INVENTORIES = ROOT / "inventories"
"""A folder for each inventory that comes with the kit."""
PLAYBOOKS = ROOT / "playbooks"
"""The playbooks with their roles."""
