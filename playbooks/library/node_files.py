#!/usr/bin/python3
"""Ansible module: the files, directories and links that a role needs on a node, in one go."""

import errno
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: node_files
short_description: Files, directories and links of a role, in one go
description:
  - Does for a list what M(ansible.builtin.template), M(ansible.builtin.copy) and
    M(ansible.builtin.file) do for one path. Each of those costs one or two Python
    processes on every node; most of a playbook's time on an unchanged lab was theirs.
  - All checks come first, so a file that does not pass one leaves every path as it was.
options:
  entries:
    description: What has to be there, in this order.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Absolute path on the node; what is above it must be there or come before it.
        type: path
        required: true
      content:
        description: What the file holds. Use lookup('ansible.builtin.template', ...) for templates.
        type: str
      link:
        description: What the symbolic link at O(entries[].path) points to.
        type: str
      directory:
        description: Whether the path is a directory.
        type: bool
        default: false
      mode:
        description: Mode of a file (0644) or directory (0755).
        type: str
      validate:
        description: A command that must accept the new content, in a file that %s stands for.
        type: str
"""

EXAMPLES = r"""
- name: Configure the service
  node_files:
    entries:
      - {path: /etc/example, directory: true}
      - path: /etc/example/config.toml
        content: "{{ lookup('ansible.builtin.template', 'config.toml.j2') }}"
        mode: "0600"
      - {path: /usr/local/bin/example, link: /var/cache/example}
"""

RETURN = r"""
paths:
  description: The paths that were changed.
  returned: always
  type: list
  elements: str
"""

_ENTRY = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str"},
    "link": {"type": "str"},
    "directory": {"type": "bool", "default": False},
    "mode": {"type": "str"},
    "validate": {"type": "str"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "entries": {"type": "list", "elements": "dict", "required": True, "options": _ENTRY}
        },
        supports_check_mode=True,
    )
    entries: list[dict[str, Any]] = module.params["entries"]
    for entry in entries:
        _check(module, entry)
    paths, diffs = [], []
    for entry in entries:
        before, after = _apply(module, entry)
        if before != after:
            paths.append(entry["path"])
            header = {"before_header": entry["path"], "after_header": entry["path"]}
            diffs.append({"before": before, "after": after} | header)
    module.exit_json(changed=bool(paths), paths=paths, diff=diffs)


def _check(module: AnsibleModule, entry: dict[str, Any]) -> None:
    path = entry["path"]
    kinds = [entry["content"] is not None, entry["link"] is not None, entry["directory"]]
    if sum(kinds) != 1 or not Path(path).is_absolute():
        module.fail_json(
            msg=f"{path} must be an absolute path with one of content, link and directory."
        )
    if entry["mode"] is None:
        entry["mode"] = "0755" if entry["directory"] else "0644"
    # What stands there already passed when it was written.
    if entry["validate"] and not (Path(path).exists() and _content(path) == entry["content"]):
        with tempfile.NamedTemporaryFile("w", dir=module.tmpdir) as file:
            file.write(entry["content"])
            file.flush()
            command = [part.replace("%s", file.name) for part in shlex.split(entry["validate"])]
            code, out, error = module.run_command(command)
        if code:
            module.fail_json(
                msg=f"{path} was left as it is: {entry['validate']} refuses its new content: "
                f"{(error or out).strip()}"
            )


def _apply(module: AnsibleModule, entry: dict[str, Any]) -> tuple[str, str]:
    """Bring one path about; return its state before and after, as texts to compare."""
    path = entry["path"]
    try:
        if entry["link"] is not None:
            return _link(module, path, entry["link"])
        if entry["directory"]:
            before = "directory\n" if Path(path).is_dir() else "absent\n"
            if before == "absent\n" and not module.check_mode:
                Path(path).mkdir(parents=True)
            return _mode(module, entry, before, "directory\n")
        before = _content(path) if Path(path).exists() else None
        if before != entry["content"] and not module.check_mode:
            if not Path(path).parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, "there is no directory above it")
            handle, new = tempfile.mkstemp(dir=module.tmpdir)
            with os.fdopen(handle, "w") as file:
                file.write(entry["content"])
            module.atomic_move(new, path)
        return _mode(module, entry, before or "", entry["content"])
    except OSError as error:
        module.fail_json(msg=f"{path} could not be written: {error.strerror or error}.")
        raise AssertionError from error  # fail_json() does not return


def _link(module: AnsibleModule, path: str, target: str) -> tuple[str, str]:
    place = Path(path)
    before = f"link to {place.readlink()}\n" if place.is_symlink() else "no link\n"
    after = f"link to {target}\n"
    if before != after and not module.check_mode:
        if place.is_dir() and not place.is_symlink():
            module.fail_json(msg=f"{path} is a directory; move it away, it should be a link.")
        # A link is renamed into place, so that there is no moment without one.
        new = place.with_name(f".{place.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(place)
    return before, after


def _mode(module: AnsibleModule, entry: dict[str, Any], before: str, after: str) -> tuple[str, str]:
    """Set the mode, and add it to both texts where it had to be changed."""
    place = Path(entry["path"])
    if not place.exists():  # in check mode
        return "absent\n", after
    was = place.stat().st_mode & 0o7777
    if module.set_mode_if_different(str(place), entry["mode"], changed=False):
        return f"mode {was:04o}\n{before}", f"mode {entry['mode']}\n{after}"
    return before, after


def _content(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="surrogateescape")


if __name__ == "__main__":
    main()
