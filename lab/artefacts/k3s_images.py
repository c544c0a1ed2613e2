"""Which images a k3s release starts itself: asked of its list, or of its own program.

The CoreDNS that k3s asks for changes within a minor version.
"""

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.artefacts.cache import Cache, sha256_of
from lab.artefacts.k3s import Release
from lab.console.errors import LabError
from lab.host.command import CommandError, run
from lab.host.private_directory import private_directory

LIST = "k3s-images.txt"
"""The release's own list, which a user may lay beside the program."""
ASKED = "k3s-images-asked.txt"
"""What the program said, kept beside it: its digest, then a name a line."""
COREDNS = re.compile(rb'rancher/mirrored-coredns-coredns:[\w.-]+(?=")')
"""Its image in the manifests that the program carries."""
PAUSE = re.compile(r'rancher/mirrored-pause:[\w.-]+(?=")')
"""Its image as the default of an option, in the program's help."""
NEEDED = {"coredns": "mirrored-coredns-coredns:", "pause": "mirrored-pause:"}
"""What the kit builds in place of the release's archive, and how k3s calls it."""
UNPACK_LIMIT_S = 120.0


def needed(release: Release, *, cache: Cache) -> Mapping[str, Sequence[str]]:
    """Return the names under which k3s looks for CoreDNS and pause.

    Raises LabError where neither a list nor the program tells them.
    """
    program = cache.path(release.program)
    listed = program.with_name(LIST)
    found = (
        listed.read_text().split() if listed.is_file() else _asked(program, _digest(release, cache))
    )
    names = [name.removeprefix("docker.io/") for name in found]
    by_part = {part: [name for name in names if sign in name] for part, sign in NEEDED.items()}
    if missing := [part for part, its in by_part.items() if not its]:
        raise LabError(
            f"Which image of {' and '.join(missing)} k3s {release.version} starts can't be told.",
            f"Put {release.archive.file}, or {LIST}, of the release into {listed.parent}.",
        )
    return by_part


def _digest(release: Release, cache: Cache) -> str:
    """Return the program's SHA-256, from its record where that is true of it."""
    record = cache.record(release.program)
    known = record is not None and cache.find(release.program) is not None
    return record.sha256 if record and known else sha256_of(cache.path(release.program))


def _asked(program: Path, digest: str) -> list[str]:
    """Return the images in the program's own manifests; none where it does not run here."""
    kept = program.with_name(ASKED)
    if kept.is_file() and (lines := kept.read_text().split())[:1] == [digest]:
        return lines[1:]
    # The program unpacks itself when it is first called; within are the manifests, as they are.
    with private_directory() as directory:
        unpacked = {"K3S_DATA_DIR": str(directory)}
        try:
            said = run([program, "agent", "--help"], env=unpacked, timeout_s=UNPACK_LIMIT_S)
            run([program, "ctr", "--version"], env=unpacked, timeout_s=UNPACK_LIMIT_S)
        except CommandError:  # It is of another architecture, or damaged.
            return []
        inner = sorted(directory.glob("data/*/bin/k3s"))
        content = inner[0].read_bytes() if inner else b""
    names = [*PAUSE.findall(said.stdout), *(name.decode() for name in COREDNS.findall(content))]
    # A cache may be another user's; then the next run asks again.
    with contextlib.suppress(OSError):
        kept.write_text("\n".join([digest, *names, ""]))
    return names
