"""The kit's own files: playbooks, images, inventories, workloads."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

INSTALLED = (_PACKAGE / "files").is_dir()
"""Whether this is an installed kit; a checkout has its files at its top."""
ROOT = _PACKAGE / "files" if INSTALLED else _PACKAGE.parent
"""The folder that holds them: in an installed kit `lab/files`, in a checkout its top."""
IMAGES = ROOT / "images"
"""A folder for each image and each program that is built."""
INVENTORIES = ROOT / "inventories"
"""A folder for each inventory that comes with the kit."""
PLAYBOOKS = ROOT / "playbooks"
"""The playbooks with their roles."""
PACKAGES = _PACKAGE.parent
"""The folder of the kit's Python packages, which images copy."""
SUITE = "--pyargs experiment.suites.failover" if INSTALLED else ""
"""What pytest is told so that it finds the failover suite; a checkout's settings name it."""
