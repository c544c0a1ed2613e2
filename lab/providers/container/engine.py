"""The local Docker engine: found, or started where none runs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import requests
from docker.errors import APIError, DockerException

from lab.console.errors import LabError
from lab.console.progress import Progress, wait
from lab.host.command import CommandError, run
from lab.host.privileges import as_root

LOG = Path("/var/log/blackstart-dockerd.log")
"""Where an engine writes that this kit started without systemd."""
START_LIMIT_S = 60
DATA_DIRECTORY = Path("/var/lib/docker")
"""Where an engine keeps images and volumes unless it is told otherwise."""
CURES = {
    "address already in use": "Another container has taken the node's address; take it off the "
    "lab's network (docker network inspect NETWORK names it), then run the command again.",
    "no chain/target/match by that name": "A firewall has dropped the engine's rules: restart the "
    "engine (systemctl restart docker), then run `lab up`.",
    "no space left on device": "Free space on the disk that holds Docker's data, then run the "
    "command again.",
}
"""Words of an engine's refusal, in lower case: what to do about it."""


def connect() -> docker.DockerClient:
    """Return a client of the local engine.

    Raises LabError where none answers; only `ensure` starts one.
    """
    _refuse_remote()
    try:
        return docker.from_env(timeout=120)
    except DockerException as error:
        raise _absent(error) from None


def ensure(progress: Progress) -> docker.DockerClient:
    """Return a client of the local engine, after starting it where none runs.

    Raises LabError where DOCKER_HOST names another engine, of which none is started.
    """
    _refuse_remote()
    try:
        return docker.from_env(timeout=120)
    except DockerException as error:
        if "Permission denied" in str(error) or os.environ.get("DOCKER_HOST"):
            raise _absent(error) from None
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
    return docker.from_env(timeout=120)


def data_directory() -> Path:
    """Return where the engine keeps images and volumes; the usual place where none answers."""
    try:
        return Path(connect().info()["DockerRootDir"])
    except LabError:
        return DATA_DIRECTORY


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
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _answers() -> str | None:
    try:
        docker.from_env(timeout=5).ping()
    except DockerException:
        return "it does not answer yet"  # Its log says why, should the time run out.
    return None


def _log() -> str:
    try:
        return "\n".join(LOG.read_text(errors="replace").splitlines()[-15:])
    except OSError:
        return ""


def _refuse_remote() -> None:
    host = os.environ.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        raise LabError(
            f"DOCKER_HOST={host} names another engine than this machine's own: nodes on it could "
            "neither be reached nor see the artefact cache.",
            "Run the command without it: env -u DOCKER_HOST lab ...",
        )


def _absent(error: Exception) -> LabError:
    if named := os.environ.get("DOCKER_HOST"):
        return LabError(
            f"No Docker engine answers at DOCKER_HOST={named}.",
            "Start that engine, or unset DOCKER_HOST.",
            evidence=str(error).splitlines()[0],
        )
    if "Permission denied" in str(error):
        return LabError(
            "The Docker engine runs, but this user may not use it.",
            "Run `sudo make lab-up`, or add the user to the group docker and log in again.",
        )
    return LabError(
        "No Docker engine answers on this machine.",
        "`lab up` starts one; or start it yourself.",
        evidence=str(error).splitlines()[0],
    )
