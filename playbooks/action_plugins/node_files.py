"""Action plugin: the files, directories and links that a role needs on a node, in one go."""

import json
import shlex
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

_PROGRAM = Path(__file__).parents[1] / "files" / "node_files.py"
_ENTRY = {
    "path": {"type": "str", "required": True},
    "content": {"type": "str"},
    "link": {"type": "str"},
    "directory": {"type": "bool", "default": False},
    "mode": {"type": "str"},
    "validate": {"type": "str"},
    "own": {"type": "str"},
    "absent": {"type": "bool", "default": False},
}
_OPTIONS = {"entries": {"type": "list", "elements": "dict", "required": True, "options": _ENTRY}}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Checks the entries here, and has files/node_files.py bring them about on the node."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return which `paths` changed, with a `diff` for each."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(_OPTIONS)
        wanted = {"entries": options["entries"], "check": self._task.check_mode}
        task = self._task.copy()
        task.check_mode = False  # The program looks only, where it shall.
        task.args = {
            "cmd": shlex.quote(str(_PROGRAM)),
            "executable": "python3",
            "stdin": json.dumps(wanted),
        }
        run = self._shared_loader_obj.action_loader.get(
            "node_script",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        said = run.run(task_vars=task_vars)
        try:
            answer: dict[str, Any] = json.loads(said["stdout"])
        except ValueError as error:
            why = said["stderr"].strip() or said["stdout"].strip()
            raise AnsibleActionFail(f"The files were not looked at: {why}") from error
        return result | answer
