"""Bring about the files, directories and links that a role needs on this node.

Runs on the node itself, with Python's standard library only, for the action plugin node_files.
Reads from standard input, in JSON, {"entries": [...], "check": false}; an entry is what
library/node_files.yml says, with all its keys. Answers in JSON which `paths` changed, with a
`diff` for each, or that it `failed` and why in `msg`. With `check` nothing is changed.
"""

import errno
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

KEPT = ".before-blackstart"
"""Suffix of what the machine had before the role's file."""


class EntryError(Exception):
    """What an entry asks for can't be done; the message says why."""


def main() -> None:
    """Print the answer."""
    wanted = json.load(sys.stdin)
    try:
        answer = bring_about(wanted["entries"], check=wanted["check"])
    except EntryError as refused:
        answer = {"failed": True, "msg": str(refused)}
    print(json.dumps(answer))


def bring_about(entries: list[dict[str, Any]], *, check: bool) -> dict[str, Any]:
    """Bring about all entries; raises EntryError."""
    for entry in entries:
        examine(entry, check=check)
    paths, diffs = [], []
    for entry in entries:
        before, after = apply(entry, check=check)
        if before != after:
            paths.append(entry["path"])
            header = {"before_header": entry["path"], "after_header": entry["path"]}
            diffs.append({"before": before, "after": after} | header)
    return {"changed": bool(paths), "paths": paths, "diff": diffs}


def examine(entry: dict[str, Any], *, check: bool) -> None:
    """Refuse an entry that can't be brought about, before anything is changed."""
    path = entry["path"]
    kinds = [entry["content"] is not None, entry["link"] is not None, entry["directory"]]
    if entry["absent"]:
        examine_absent(entry, sum(kinds), check=check)
        return
    if sum(kinds) != 1 or not Path(path).is_absolute():
        raise EntryError(
            f"{path} must be an absolute path with one of content, link and directory."
        )
    if entry["mode"] is None:
        entry["mode"] = "0755" if entry["directory"] else "0644"
    # What stands there already passed when it was written.
    if entry["validate"] and not (Path(path).exists() and content(path) == entry["content"]):
        with tempfile.NamedTemporaryFile("wb") as file:
            file.write(encoded(entry["content"]))
            file.flush()
            command = [part.replace("%s", file.name) for part in shlex.split(entry["validate"])]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
            except OSError as error:
                raise EntryError(
                    f"{path} was left as it is: {command[0]} can't be run: {error.strerror}."
                ) from error
        if done.returncode:
            raise EntryError(
                f"{path} was left as it is: {entry['validate']} refuses its new content: "
                f"{(done.stderr or done.stdout).strip()}"
            )


def examine_absent(entry: dict[str, Any], kinds: int, *, check: bool) -> None:
    """Refuse what would take away more than was meant."""
    path = entry["path"]
    if kinds > 1 or len(Path(path).parts) < 3:
        raise EntryError(
            f"{path} must be an absolute path below a top directory, with one kind at most."
        )
    whole = not kinds and not entry["own"]
    below = sorted(p for p in mount_points() if p.startswith(f"{path}/")) if whole else []
    if below and not check:
        raise EntryError(
            f"{path} was left as it is: {', '.join(below)} is mounted below it. Unmount that, "
            "then run this again."
        )


def mount_points() -> set[str]:
    """Return where something is mounted, a directory of the same file system too."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # The kernel writes a space as \040, and other odd characters alike.
    escaped = re.compile(r"\\([0-7]{3})")
    return {escaped.sub(lambda code: chr(int(code[1], 8)), line.split()[4]) for line in lines}


def apply(entry: dict[str, Any], *, check: bool) -> tuple[str, str]:
    """Bring one path about; return its state before and after, as texts to compare."""
    path = entry["path"]
    try:
        if entry["absent"]:
            return remove(entry, check=check)
        if entry["link"] is not None:
            return link(path, entry["link"], check=check)
        if entry["directory"]:
            before = "directory\n" if Path(path).is_dir() else "absent\n"
            if before == "absent\n" and not check:
                Path(path).mkdir(parents=True)
            return set_mode(entry, before, "directory\n", check=check)
        before = content(path) if Path(path).exists() else None
        if before != entry["content"] and not check:
            if not Path(path).parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, "there is no directory above it")
            if entry["own"] and before is not None and entry["own"] not in before:
                Path(path).replace(f"{path}{KEPT}")
            write(Path(path), entry)
        return set_mode(entry, before or "", entry["content"], check=check)
    except OSError as error:
        done = "removed" if entry["absent"] else "written"
        raise EntryError(f"{path} could not be {done}: {error.strerror or error}.") from error


def write(place: Path, entry: dict[str, Any]) -> None:
    """Put a file into place as a whole; one that was there keeps its owner."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(encoded(entry["content"]))
        new.chmod(int(entry["mode"], 8))
        if place.exists():
            os.chown(new, place.stat().st_uid, place.stat().st_gid)
        new.replace(place)
    finally:
        new.unlink(missing_ok=True)


def remove(entry: dict[str, Any], *, check: bool) -> tuple[str, str]:
    """Take away what is at a path; return its state before and after."""
    place = Path(entry["path"])
    if not goes(place, entry):
        return "", ""
    kept = Path(f"{place}{KEPT}")
    returns = bool(entry["own"]) and kept.exists()
    if not check:
        if returns:
            kept.replace(place)
        elif place.is_symlink() or not place.is_dir():
            place.unlink(missing_ok=True)
        else:
            mounted = str(place) in mount_points()
            for child in place.iterdir() if mounted else (place,):
                remove_tree(child)
    return "present\n", "as before the role\n" if returns else "absent\n"


def goes(place: Path, entry: dict[str, Any]) -> bool:
    """Tell whether there is something of the role at a path."""
    if entry["link"] is not None:
        return place.is_symlink() and fnmatch.fnmatch(place.readlink().name, entry["link"])
    if not os.path.lexists(place):
        return False
    if entry["own"]:
        return place.is_file() and entry["own"] in content(str(place))
    if place.is_symlink() or not place.is_dir():
        return not entry["directory"]
    if any(place.iterdir()):
        return not entry["directory"]
    return str(place) not in mount_points()


def remove_tree(place: Path) -> None:
    """Remove a file or a directory with all that it holds, though others do so at the same time."""
    while os.path.lexists(place):
        try:
            if place.is_symlink() or not place.is_dir():
                place.unlink(missing_ok=True)
            else:
                shutil.rmtree(place)
        except FileNotFoundError:
            continue


def link(path: str, target: str, *, check: bool) -> tuple[str, str]:
    """Lead a link to its target; return its state before and after."""
    place = Path(path)
    before = f"link to {place.readlink()}\n" if place.is_symlink() else "no link\n"
    after = f"link to {target}\n"
    if before != after and not check:
        if place.is_dir() and not place.is_symlink():
            raise EntryError(f"{path} is a directory; move it away, it should be a link.")
        # A link is renamed into place, so that there is no moment without one.
        new = place.with_name(f".{place.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(place)
    return before, after


def set_mode(entry: dict[str, Any], before: str, after: str, *, check: bool) -> tuple[str, str]:
    """Set the mode, and add it to both texts where it had to be changed."""
    place = Path(entry["path"])
    if not place.exists():  # in check mode
        return "absent\n", after
    was = place.stat().st_mode & 0o7777
    if was != int(entry["mode"], 8):
        if not check:
            place.chmod(int(entry["mode"], 8))
        return f"mode {was:04o}\n{before}", f"mode {entry['mode']}\n{after}"
    return before, after


def content(path: str) -> str:
    """Return what a file holds."""
    return Path(path).read_text(encoding="utf-8", errors="surrogateescape")


def encoded(text: str) -> bytes:
    """Return the bytes that a file holds."""
    return text.encode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main()
