"""Runs a playbook of a test, with the roles and actions of the kit and nothing of the user's."""

import os
import subprocess
import sys
from pathlib import Path

PLAYBOOKS = Path(__file__).parents[1] / "playbooks"


def ansible_playbook(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook, which keeps its own files in `home`, and return how it ended."""
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_ROLES_PATH": str(PLAYBOOKS / "roles"),
            "ANSIBLE_LIBRARY": str(PLAYBOOKS / "library"),
            "ANSIBLE_ACTION_PLUGINS": str(PLAYBOOKS / "action_plugins"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
