"""A clone of this checkout, and a lab that is used through it alone, as a newcomer does."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PRIVATE = re.compile(r"(VIRTUAL_ENV|PYTHON.|PYTEST_|MAKE|MFLAGS|LAB_|COV_)")
"""Variables of this process that say something of how it was started, none of the machine."""


@dataclass(frozen=True)
class Clone:
    """A clone with the changes of tracked files that are not committed yet."""

    directory: Path
    """Its top."""

    @classmethod
    def make(cls, directory: Path) -> "Clone":
        """Clone this checkout into `directory`, which does not exist yet."""
        git = ["git", "-C", str(ROOT)]
        changes = subprocess.run(
            [*git, "diff", "--binary", "HEAD"], check=True, capture_output=True
        )
        cloning = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(directory)]
        subprocess.run(cloning, check=True)
        if changes.stdout:
            applying = ["git", "-C", str(directory), "apply", "--index"]
            subprocess.run(applying, input=changes.stdout, check=True)
        return cls(directory)

    @property
    def programs(self) -> Path:
        """Return the folder of the programs that its virtual environment has."""
        return self.directory / ".venv" / "bin"

    def environment(self, *, active: bool, **more: str) -> dict[str, str]:
        """Return this machine's environment, without the one that the tests run in.

        `active` puts the clone's own virtual environment in its place.
        """
        kept = {name: value for name, value in os.environ.items() if not PRIVATE.match(name)}
        own = Path(sys.prefix) / "bin"
        path = [word for word in kept.get("PATH", os.defpath).split(":") if Path(word) != own]
        if active:
            kept["VIRTUAL_ENV"] = str(self.directory / ".venv")
            path.insert(0, str(self.programs))
        return {**kept, "PATH": ":".join(path), **more}

    def install(self) -> None:
        """Make its virtual environment, as `make lab-up` does."""
        self.run(["make", ".venv/.lab"], limit_s=900, env=self.environment(active=False))

    def run(
        self, argv: Sequence[str | Path], *, limit_s: float, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command at its top, and show what it printed where the test fails."""
        done = subprocess.run(
            argv,
            cwd=self.directory,
            env=dict(env),
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        print(f"$ {' '.join(map(str, argv))}\n{done.stdout}{done.stderr}")
        return done


@dataclass(frozen=True)
class Kit:
    """A lab that is used by the commands of a clone."""

    clone: Clone
    """The clone."""
    name: str
    """The lab's name, in LAB_NAME of every command."""
    settings: Sequence[str] = ()
    """Settings of the lab, each KEY=VALUE, that differ from the inventory's."""
    fresh: dict[str, Any] = field(default_factory=dict)
    """What `lab status --json` said before anything was broken."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the environment of every command that is given to the lab."""
        chosen = {"LAB_INVENTORY": str(self._inventory())} if self.settings else {}
        return {"LAB_NAME": self.name, **chosen}

    def lab(self, *words: str, limit_s: float = 1800) -> subprocess.CompletedProcess[str]:
        """Run a `lab` command and return what it printed."""
        return self.run([self.clone.programs / "lab", *words], limit_s)

    def up(self, *settings: str) -> subprocess.CompletedProcess[str]:
        """Run `lab up` with settings, each KEY=VALUE."""
        return self.lab("up", *(word for setting in settings for word in ("--set", setting)))

    def pytest(self, *words: str, limit_s: float = 1200) -> subprocess.CompletedProcess[str]:
        """Run the failover suite against the lab."""
        return self.run([self.clone.programs / "pytest", "-m", "failover", *words], limit_s)

    def run(
        self, argv: Sequence[str | Path], limit_s: float, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone's environment."""
        whole = self.clone.environment(active=True, **self.environment, **(env or {}))
        return self.clone.run(argv, limit_s=limit_s, env=whole)

    def start(self) -> None:
        """Bring the lab up by `make lab-up`, in a clone that may have nothing yet."""
        bare = self.clone.environment(active=False, **self.environment)
        done = self.clone.run(["make", "lab-up"], limit_s=2700, env=bare)
        assert done.returncode == 0, done.stdout + done.stderr
        self.fresh.update(json.loads(self.lab("status", "--json").stdout))

    def ensure(self) -> None:
        """Bring the lab to its settings where something has broken or removed it."""
        if self.lab("status").returncode != 0:
            assert self.up().returncode == 0

    def runs(self, profile: str) -> list[Path]:
        """Return the runs of the suite under the timers `profile`, the newest last."""
        return sorted((self.clone.directory / "reports").glob(f"*-{self.name}-{profile}"))

    def leftovers(self) -> list[str]:
        """Return what the engine still has of the lab, by label."""
        import docker  # noqa: PLC0415 - this module is read where no lab is tested, too

        client = docker.from_env()
        labelled = {"label": f"blackstart.lab={self.name}"}
        return [
            *(c.name for c in client.containers.list(all=True, filters=labelled)),
            *(v.name for v in client.volumes.list(filters=labelled)),
            *(n.name for n in client.networks.list(filters=labelled)),
        ]

    def volumes(self) -> set[str]:
        """Return the volumes of the lab's nodes, named and nameless."""
        import docker  # noqa: PLC0415

        containers = docker.from_env().containers.list(
            all=True, filters={"label": f"blackstart.lab={self.name}"}
        )
        mounts = [mount for container in containers for mount in container.attrs["Mounts"]]
        return {mount["Name"] for mount in mounts if mount["Type"] == "volume"}

    def _inventory(self) -> Path:
        """Write the embedded inventory with `settings`, and return its folder."""
        folder = self.clone.directory.parent / "inventory"
        if not folder.exists():
            shutil.copytree(self.clone.directory / "inventories" / "embedded", folder)
            file = folder / "group_vars" / "all.yml"
            text = file.read_text()
            for setting in self.settings:
                key, _, value = setting.partition("=")
                text, count = re.subn(rf"(?m)^{key}:.*$", f"{key}: {value}", text)
                assert count == 1, f"LAB_TEST_SET: {key} is not in {file}"
            file.write_text(text)
        return folder
