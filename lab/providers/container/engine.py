"""The local Docker engine: found, or started where none runs."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException
from docker.utils.config import find_config_file

from lab.console.errors import LabError
from lab.console.progress import Progress, wait
from lab.host import environment, packages
from lab.host.command import CommandError, run
from lab.host.privileges import as_root, authorise
from lab.providers.container import engine_choice
from lab.providers.provider import NotReadyError

LOG = Path("/var/log/blackstart-dockerd.log")
"""Where an engine writes that this kit started without systemd."""
START_LIMIT_S = 60
START = "start the Docker engine"
USE = "use the Docker engine"
"""What root may be needed for."""
SOCKET = Path("/var/run/docker.sock")
"""Where this machine's own engine listens."""
DATA_DIRECTORY = Path("/var/lib/docker")
"""Where an engine keeps images and volumes unless it is told otherwise."""
CURES = {
    "address already in use": "Another container has taken the node's address; take it off the "
    "lab's network (docker network inspect NETWORK names it), then run the command again.",
    "no chain/target/match by that name": "A firewall has dropped the engine's rules: restart the "
    "engine (systemctl restart docker), then run `lab up`.",
    "overlaps": "Set lab_subnet to another private /24, or to auto.",
    "not found": "Something of the lab was removed by hand: run `lab down`, then `lab up`.",
    "timed out": "The engine is busy; run the command again.",
    "no space left on device": "Free space on the disk that holds Docker's data, then run the "
    "command again.",
}
"""Words of an engine's refusal, in lower case: what to do about it."""


class EngineAbsentError(NotReadyError):
    """No engine answers where this machine's own one would, and `ensure` may start it."""


class EngineClosedError(NotReadyError):
    """This machine's own engine runs, and this user may not use it; `ensure` may change that."""


def connect() -> docker.DockerClient:
    """Return a client of the local engine.

    Raises LabError where none answers, or another machine's is meant; only `ensure`
    starts one.
    """
    return _client(timeout_s=120)


def ensure(progress: Progress) -> None:
    """Start the local engine where none runs, and let this user use it.

    Raises LabError where the user names another engine, of which none is started, or
    where the one that answers can't carry a lab.
    """
    try:
        information()
        return
    except EngineAbsentError:
        _begin(progress)
    except EngineClosedError:
        pass
    try:
        information()
    except EngineClosedError:
        _admit(progress)
        information()


def _begin(progress: Progress) -> None:
    """Start the engine, and wait until it answers this user, or refuses it."""
    authorise([START])
    with progress.step("Start the Docker engine", limit_s=START_LIMIT_S) as step:
        _start()
        wait(
            "the Docker engine",
            _answers,
            limit_s=START_LIMIT_S,
            step=step,
            evidence=_log,
            cure="Mend what the log names, or start Docker yourself.",
        )


def _admit(progress: Progress) -> None:
    """Let this user use the engine, who may become root anyway.

    A group's new member has to log in again; an entry in the socket's access list counts at
    once, and until the engine restarts.
    """
    packages.ensure({"setfacl": "acl"}, progress)
    authorise([USE])
    progress.note(f"  Let this user use the Docker engine until it restarts (setfacl {SOCKET})")
    run([*as_root(), "setfacl", "--modify", f"u:{os.getuid()}:rw", SOCKET])


def information() -> Mapping[str, Any]:
    """Return what the local engine says of itself (`docker info`).

    Raises LabError where it can't carry a lab, or none answers.
    """
    with closing(connect()) as client, refusals("tell what it is"):
        info: Mapping[str, Any] = client.info()
        version = client.version()
    engine_choice.refuse_unfit(info, version, engine_choice.chosen().origin)
    return info


@contextmanager
def refusals(action: str) -> Iterator[None]:
    """Turn what the engine refuses in a `with` block into LabError with its own words.

    `action` is what was asked of it, as an infinitive.
    """
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        words = str(error.explanation if isinstance(error, APIError) else "") or str(error)
        cure = next((cure for sign, cure in CURES.items() if sign in words.lower()), "")
        raise LabError(
            f"The Docker engine refused to {action}: {words.strip().rstrip('.')}.",
            cure or "Mend what it names, then run the command again.",
        ) from None


def _start() -> None:
    """Start the engine by systemd where that runs this machine, else as a daemon."""
    if Path("/run/systemd/system").exists():
        try:
            run([*as_root(), "systemctl", "start", "docker"], timeout_s=START_LIMIT_S)
        except CommandError as error:
            raise LabError(
                "The Docker engine could not be started.",
                "See: journalctl -u docker",
                evidence=str(error),
            ) from None
        return
    # The shell opens the log as root does; setsid keeps a Ctrl-C in this terminal,
    # and the end of this process, from the engine.
    command = f"exec setsid dockerd >>{LOG} 2>&1 </dev/null"
    subprocess.Popen(
        [*as_root(), "sh", "-c", command],
        env={"PATH": environment.SYSTEM_PATH},
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _answers() -> str | None:
    try:
        with closing(_client(timeout_s=5)) as client:
            client.ping()
    except EngineClosedError:
        return None
    except (LabError, DockerException):
        return "it does not answer yet"  # Its log says why, should the time run out.
    return None


def _log() -> str:
    try:
        return "\n".join(LOG.read_text(errors="replace").splitlines()[-15:])
    except OSError:
        return ""


def _client(*, timeout_s: int) -> docker.DockerClient:
    """Return a client of the engine that is meant; DOCKER_TLS_VERIFY is for remote ones."""
    choice = engine_choice.chosen()
    try:
        _knock(choice.url)
        return docker.DockerClient(base_url=choice.url, timeout=timeout_s)
    except (DockerException, OSError) as error:
        raise _absent(error, choice.origin) from None
    except (AttributeError, TypeError, ValueError) as error:
        raise LabError(
            f"Docker's client can't read its settings in {find_config_file()!s}.",
            "Mend that file, or move it away.",
            evidence=str(error),
        ) from None


def _knock(url: str | None) -> None:
    """Raise OSError where nobody listens; docker-py leaves its socket open then."""
    path = url.removeprefix("unix://") if url else str(SOCKET)
    with socket.socket(socket.AF_UNIX) as knock:
        knock.connect(path)


def _absent(error: Exception, origin: str) -> LabError:
    evidence = str(error)
    if "Permission denied" in evidence:
        kind = LabError if origin else EngineClosedError
        opens = "" if origin else "`lab up` lets a user of sudo use it. "
        return kind(
            f"The Docker engine runs{f' ({origin})' if origin else ''}, but this user may not "
            "use it.",
            f"{opens}Or add the user to the group docker, and log in again.",
        )
    if origin:
        return LabError(
            f"No Docker engine answers at {origin}.",
            "Start that engine, or run the command without what names it.",
            evidence=evidence,
        )
    return EngineAbsentError(
        "No Docker engine answers on this machine.",
        "`lab up` starts one; or start it yourself.",
        evidence=evidence,
    )
