"""A lab of the tests' own: brought up once, and gone afterwards, also when a test failed.

LAB_TEST_NAME names it, so that a run which was killed can be cleaned up by hand;
LAB_TEST_SET holds settings such as `lab_distribution=k3s`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

ROOT = Path(__file__).parents[2]
NAME = os.environ.get("LAB_TEST_NAME", "lab-test")
SETTINGS = os.environ.get("LAB_TEST_SET", "").split()


@dataclass(frozen=True)
class Kit:
    """The kit, used as a user does: by its commands."""

    name: str

    def lab(self, *words: str, limit_s: float = 1800) -> subprocess.CompletedProcess[str]:
        """Run a `lab` command and return what it printed; its output is shown on failure."""
        return self.run([sys.executable, "-m", "lab", *words], limit_s)

    def up(self, *settings: str) -> subprocess.CompletedProcess[str]:
        chosen = [word for setting in (*SETTINGS, *settings) for word in ("--set", setting)]
        return self.lab("up", "--name", self.name, *chosen)

    def pytest(self, *words: str, limit_s: float = 1200) -> subprocess.CompletedProcess[str]:
        """Run the failover suite against the lab."""
        options = ["-m", "pytest", "-m", "failover", "--lab", self.name, "-p", "no:cacheprovider"]
        return self.run([sys.executable, *options, *words], limit_s)

    def run(
        self, argv: list[str], limit_s: float, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        print(f"$ {' '.join(argv[1:])}\n{done.stdout}{done.stderr}")
        return done

    def leftovers(self) -> list[str]:
        """Return what the engine still has of the lab, by label."""
        client = docker.from_env()
        labelled = {"label": f"blackstart.lab={self.name}"}
        return [
            *(c.name for c in client.containers.list(all=True, filters=labelled)),
            *(v.name for v in client.volumes.list(filters=labelled)),
            *(n.name for n in client.networks.list(filters=labelled)),
        ]

    def volumes(self) -> set[str]:
        """Return the volumes of the lab's nodes, named and nameless."""
        containers = docker.from_env().containers.list(
            all=True, filters={"label": f"blackstart.lab={self.name}"}
        )
        mounts = [mount for container in containers for mount in container.attrs["Mounts"]]
        return {mount["Name"] for mount in mounts if mount["Type"] == "volume"}


@pytest.fixture(scope="session")
def kit() -> Iterator[Kit]:
    kit = Kit(NAME)
    kit.lab("down", "--name", kit.name)
    yield kit
    kit.lab("down", "--name", kit.name)
    assert kit.leftovers() == []


@pytest.fixture(scope="session")
def running(kit: Kit) -> Kit:
    """Bring the lab up with the timers of the thesis."""
    done = kit.up("lab_profile=thesis")
    assert done.returncode == 0, done.stderr
    return kit
