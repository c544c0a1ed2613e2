"""The environment of every program that the kit starts: composed, whatever the user's is.

A user sets variables for other work: paths of a linker, Python's, Go's, Ansible's, Docker's
or git's variables, an SSH agent, a locale. None of them reaches a program of the kit's, so
that a lab is the same on every machine. What a download needs to get through is kept.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.console.errors import LabError

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for first: a virtual environment or conda may have its own ssh."""
USER = ("HOME", "USER", "LOGNAME", "TERM", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
"""Who the user is, and where the settings of pip and go lie."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
"""The way to the outside, in lower or upper case."""
DOWNLOADS = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"),
    *("PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT", "PIP_FIND_LINKS"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY", "PIP_TRUSTED_HOST"),
    *("GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE"),
    *("GOENV", "GOPATH", "GOMODCACHE", "GOCACHE"),
)
"""Certificates, mirrors and caches of downloads, without which a firewall lets nothing through."""
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - places to look at, in which nothing is named
TEMPORARY_LENGTH = 40
"""Bytes of a temporary directory's path: a socket of ssh below it may have 107 in all."""
TEMPORARY_SPACE = 64 << 20
"""Bytes that must be free there; what takes more says so itself."""


def composed(**more: str) -> dict[str, str]:
    """Return the environment of a program that the kit starts, with `more` in it."""
    kept = {name: os.environ[name] for name in (*USER, *DOWNLOADS) if name in os.environ}
    # A user without an entry in /etc/passwd, as containers have them, has no home.
    with suppress(RuntimeError):
        kept.setdefault("HOME", str(Path.home()))
    # Every machine has this locale, and Ansible refuses those that are not UTF-8.
    return {**kept, **proxies(), "PATH": path(), "LC_ALL": "C.UTF-8", **temporary(), **more}


def proxies() -> dict[str, str]:
    """Return the user's proxies in both cases: apt reads one of them, other programs another."""
    found: dict[str, str] = {}
    for name in PROXIES:
        value = os.environ.get(name) or os.environ.get(name.upper())
        if value:
            found |= {name: value, name.upper(): value}
    return found


def path() -> str:
    """Return PATH: the system's own directories, then the absolute ones of the user."""
    own = [word for word in os.environ.get("PATH", "").split(":") if word.startswith("/")]
    return ":".join(dict.fromkeys([*SYSTEM_PATH.split(":"), *own]))


def which(program: str) -> str | None:
    """Return where `program` is on the composed PATH, or None."""
    return shutil.which(program, path=path())


def temporary() -> dict[str, str]:
    """Return TMPDIR where the user's own can be used; otherwise programs take /tmp."""
    named = os.environ.get("TMPDIR", "")
    return {"TMPDIR": named} if named and _is_usable(Path(named)) else {}


def temporary_directory() -> Path:
    """Return where temporary files of the kit go: the user's TMPDIR where it can be used.

    Raises LabError where no place can.
    """
    for place in (*temporary().values(), *TEMPORARY):
        if _is_usable(Path(place)):
            return Path(place)
    raise LabError(
        f"None of {', '.join(TEMPORARY)} can hold temporary files: they must be writable, have "
        f"{TEMPORARY_SPACE >> 20} MiB free, and allow programs (no noexec).",
        "Set TMPDIR to a directory that does; its path is short, and without spaces.",
    )


def user_directory(variable: str, usual: Callable[[], Path]) -> Path:
    """Return the directory that `variable` names, or the user's `usual` one, as a full path.

    Raises LabError where the user has no home directory, and none is named.
    """
    if named := os.environ.get(variable):
        return Path(named).absolute()
    # Releases of platformdirs differ in what they do without a home.
    with suppress(RuntimeError):
        found = usual()
        if not str(found).startswith("~"):
            return found.absolute()
    raise LabError(
        "This user has no home directory, and HOME names none.",
        f"Set {variable} to a directory of the user's own.",
    )


@contextmanager
def in_force() -> Iterator[None]:
    """Give this process the composed environment: some libraries copy it for their programs."""
    before = dict(os.environ)
    after = composed()
    _set(after)
    try:
        yield
    finally:
        _set(before)


def _set(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


def _is_usable(place: Path) -> bool:
    """Tell whether files there are reached by apt's own user too, and programs may run."""
    words = os.fsencode(place)
    if not place.is_absolute() or len(words) > TEMPORARY_LENGTH or not words.isascii():
        return False
    try:
        if any(character.isspace() or character in "\"'\\%" for character in str(place)):
            return False
        open_to_others = all(step.stat().st_mode & 0o001 for step in (place, *place.parents))
        disk = os.statvfs(place)
        free = disk.f_bavail * disk.f_frsize >= TEMPORARY_SPACE
        return (
            open_to_others
            and free
            and not disk.f_flag & os.ST_NOEXEC
            and place.is_dir()
            and os.access(place, os.W_OK | os.X_OK)
        )
    except OSError:
        return False
