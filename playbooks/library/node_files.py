#!/usr/bin/python3
"""Ansible module: the files, directories and links that a role needs on a node, in one go."""

import errno
import fnmatch
import os
import re
import shlex
import shutil
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
  - Takes the same away again with O(entries[].absent), and nothing that the role did not put there.
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
      own:
        description:
          - A piece of text that only the role's file has, where the machine has one of its own at
            the path. That is kept beside it under the suffix C(.before-blackstart), and comes
            back with O(entries[].absent).
        type: str
      absent:
        description:
          - Whether nothing may be there. With a kind besides, only what is of that kind goes. Of a
            O(entries[].directory) that is one that is empty; of a O(entries[].link), one whose
            target has a name like this pattern; of a file that a role calls its
            O(entries[].own), one with that text.
          - Of a mount point the content goes. Where something is mounted further below, nothing
            goes, and the module fails.
        type: bool
        default: false
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

- name: Remove the service
  node_files:
    entries:
      - {path: /etc/example, absent: true}
      - {path: /usr/local/bin/example, link: example, absent: true}
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
    "own": {"type": "str"},
    "absent": {"type": "bool", "default": False},
}
_KEPT = ".before-blackstart"
"""Suffix of what the machine had before the role's file."""


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
    if entry["absent"]:
        _check_absent(module, entry, sum(kinds))
        return
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


def _check_absent(module: AnsibleModule, entry: dict[str, Any], kinds: int) -> None:
    """Refuse what would take away more than was meant."""
    path = entry["path"]
    if kinds > 1 or len(Path(path).parts) < 3:
        module.fail_json(
            msg=f"{path} must be an absolute path below a top directory, with one kind at most."
        )
    whole = not kinds and not entry["own"]
    below = sorted(p for p in _mount_points() if p.startswith(f"{path}/")) if whole else []
    if below and not module.check_mode:
        module.fail_json(
            msg=f"{path} was left as it is: {', '.join(below)} is mounted below it. Unmount that, "
            "then run this again."
        )


def _mount_points() -> set[str]:
    """Return where something is mounted, a directory of the same file system too."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # The kernel writes a space as \040, and other odd characters alike.
    escaped = re.compile(r"\\([0-7]{3})")
    return {escaped.sub(lambda code: chr(int(code[1], 8)), line.split()[4]) for line in lines}


def _apply(module: AnsibleModule, entry: dict[str, Any]) -> tuple[str, str]:
    """Bring one path about; return its state before and after, as texts to compare."""
    path = entry["path"]
    try:
        if entry["absent"]:
            return _remove(module, entry)
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
            if entry["own"] and before is not None and entry["own"] not in before:
                Path(path).replace(f"{path}{_KEPT}")
            module.atomic_move(new, path)
        return _mode(module, entry, before or "", entry["content"])
    except OSError as error:
        done = "removed" if entry["absent"] else "written"
        module.fail_json(msg=f"{path} could not be {done}: {error.strerror or error}.")
        raise AssertionError from error  # fail_json() does not return


def _remove(module: AnsibleModule, entry: dict[str, Any]) -> tuple[str, str]:
    """Take away what is at a path; return its state before and after."""
    place = Path(entry["path"])
    if not _goes(place, entry):
        return "", ""
    kept = Path(f"{place}{_KEPT}")
    returns = bool(entry["own"]) and kept.exists()
    if not module.check_mode:
        if returns:
            kept.replace(place)
        elif place.is_symlink() or not place.is_dir():
            place.unlink(missing_ok=True)
        else:
            mounted = str(place) in _mount_points()
            for child in place.iterdir() if mounted else (place,):
                _remove_tree(child)
    return "present\n", "as before the role\n" if returns else "absent\n"


def _goes(place: Path, entry: dict[str, Any]) -> bool:
    """Tell whether there is something of the role at a path."""
    if entry["link"] is not None:
        return place.is_symlink() and fnmatch.fnmatch(place.readlink().name, entry["link"])
    if not os.path.lexists(place):
        return False
    if entry["own"]:
        return place.is_file() and entry["own"] in _content(str(place))
    if place.is_symlink() or not place.is_dir():
        return not entry["directory"]
    if any(place.iterdir()):
        return not entry["directory"]
    return str(place) not in _mount_points()


def _remove_tree(place: Path) -> None:
    """Remove a file or a directory with all that it holds, though others do so at the same time."""
    while os.path.lexists(place):
        try:
            if place.is_symlink() or not place.is_dir():
                place.unlink(missing_ok=True)
            else:
                shutil.rmtree(place)
        except FileNotFoundError:
            continue


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
