"""Action plugin: a role's script, run on the node in one round trip."""

import shlex
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleActionSkip, AnsibleError
from ansible.plugins.action import ActionBase

# Standard input is the script, and behind it what the script reads there. A script of Python reads
# through the same buffer; one of a shell reads behind what `head` has taken.
_PYTHON = "import sys; exec(compile(sys.stdin.buffer.read({size}), {name!r}, 'exec'))"
_SHELL = 'eval "$(head -c {size})"'
_STARTS = {"python3": _PYTHON, "bash": _SHELL, "sh": _SHELL}
# What a login prints of its own (a line in ~/.bashrc) comes before this.
_BEGIN = "blackstart: the script begins"
_OPTIONS: dict[str, dict[str, Any]] = {
    "cmd": {"type": "str", "required": True},
    "executable": {"type": "str", "required": True, "choices": list(_STARTS)},
    "stdin": {"type": "str", "default": ""},
    "verb": {"type": "str", "choices": ["do", "begin"]},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Runs a script as `ansible.builtin.script` does, and leaves no file on the node.

    That one copies the script and asks Python on the node for a place first; a module of Ansible
    compiles its libraries on the node each time. Either takes two to six times as long as this.
    """

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return what the script said, `rc`, `stdout` and `stderr`; failed where rc is not 0."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(_OPTIONS)
        name, *arguments = shlex.split(options["cmd"])
        try:
            file = Path(self._find_needle("files", name))
        except AnsibleError as error:
            raise AnsibleActionFail(str(error)) from error
        verb = options["verb"]
        if verb:
            arguments.insert(0, "look" if self._task.check_mode else verb)
        elif self._task.check_mode:
            raise AnsibleActionSkip("Check mode is not supported for this task.")
        script = file.read_bytes()
        start = _STARTS[options["executable"]].format(size=len(script), name=file.name)
        shown = [] if options["executable"] == "python3" else [file.name]
        command = shlex.join([options["executable"], "-c", start, *shown, *arguments])
        command = f"{self._compute_environment_string()} {command}".strip()
        result |= self._low_level_execute_command(
            f"echo {shlex.quote(_BEGIN)}; {command}",
            in_data=script + options["stdin"].encode(),
        )
        _, begun, said = result["stdout"].partition(f"{_BEGIN}\n")
        if begun:
            result |= {"stdout": said, "stdout_lines": said.splitlines()}
        result["changed"] = bool(result["stdout"].strip()) if verb else True
        if result["rc"]:
            result |= {"failed": True, "msg": f"{file.name} ended with {result['rc']}"}
        return result
