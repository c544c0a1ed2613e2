"""A bare system in a container: what a fresh installation has, and an engine's needs."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import docker
import pexpect
from docker.models.containers import Container

from lab.artefacts import Cache
from lab.console.progress import Silent
from lab.host import packages
from lab.images.debian import KEYRING
from lab.providers.container import machine
from tests.kit import Clone

USER = "ada"
PASSWORD = "a password"
NAMED_BY_README = ("git", "make", "python3", "sudo")
"""What README.md says that a machine must have."""
TRUST = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf")
"""How this machine reaches a package index, which a network may want of each machine on it."""
LIMIT_S = 900.0
SUDOERS = {True: f"{USER} ALL=(ALL) NOPASSWD: ALL\n", False: f"{USER} ALL=(ALL) ALL\n"}
BOOT = """\
#!/bin/sh
# A machine has its cgroups and its kernel's settings to itself; a container has them read-only.
while read -r _ path type options _; do
    case "$type:$options" in
        tmpfs:*ro,*|cgroup*:ro*|proc:ro*)
            case $path in /sys/fs/cgroup*|/proc/sys) mount -o remount,bind,rw "$path" ;; esac ;;
    esac
done </proc/self/mounts
mount --make-rshared /
[ -e /dev/kmsg ] || ln -s /dev/null /dev/kmsg
exec "$@"
"""


@dataclass(frozen=True, kw_only=True)
class System:
    """An installation."""

    name: str
    """What its users call it."""
    suite: str
    """Its name in its archive."""
    archive: str
    """The archive."""
    security: str
    """The archive of its security updates."""
    components: str
    """Of the archive."""
    keyring: str
    """The Debian package that has the archive's keys; empty where the kit has them."""
    more: tuple[str, ...] = ()
    """Packages beyond README.md's."""
    init: tuple[str, ...] = ("sleep", "infinity")
    """Process 1, which systemd is not on every machine."""
    passwordless: bool = True
    """Whether sudo asks the user for no password."""


DEBIAN_12 = System(
    name="Debian 12",
    suite="bookworm",
    archive="http://deb.debian.org/debian",
    security="http://deb.debian.org/debian-security",
    components="main",
    keyring="",
)
UBUNTU_24_04 = System(
    name="Ubuntu 24.04",
    suite="noble",
    archive="http://archive.ubuntu.com/ubuntu",
    security="http://archive.ubuntu.com/ubuntu",
    components="main universe",
    keyring="ubuntu-keyring",
    more=("systemd-sysv", "dbus"),
    init=("/lib/systemd/systemd",),
    passwordless=False,
)


class Machine:
    """A bare system that runs, and its user."""

    def __init__(self, container: Container, system: System) -> None:
        self.system = system
        self._container = container

    def run(
        self, command: str, *, user: str = USER, limit_s: float = LIMIT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a line of a shell as `user`, in their home, and show what it printed."""
        argv = [*self._argv(user), f"timeout {limit_s:g} bash -c {_quoted(command)}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        print(f"$ {command}\n{done.stdout}{done.stderr}")
        return done

    def typed(self, command: str, *, limit_s: float = LIMIT_S) -> tuple[int, str]:
        """Run a line at a terminal, where sudo is given the password that it asks for.

        Returns the exit code, and what was shown.
        """
        argv = self._argv(USER, "-i", "-t")
        child = pexpect.spawn(argv[0], [*argv[1:], command], timeout=limit_s, encoding="utf-8")
        shown, asks = "", r"\[sudo\] password for \w+: "
        while child.expect([asks, pexpect.EOF]) == 0:
            assert not self.system.passwordless, "sudo asks, though it need not"
            shown += f"{child.before}{child.after}"
            child.sendline(PASSWORD)
        shown += child.before
        child.close()
        print(f"$ {command}\n{shown}")
        return child.exitstatus or 0, shown

    def put(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file as root."""
        raw = content.encode() if isinstance(content, str) else content
        with BytesIO() as buffer:
            with tarfile.open(fileobj=buffer, mode="w") as archive:
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.size, entry.mode = len(raw), mode
                archive.addfile(entry, BytesIO(raw))
            self._container.put_archive("/", buffer.getvalue())

    def as_root(self, *argv: str) -> str:
        """Run a command as root, for what an installer does."""
        code, output = self._container.exec_run(list(argv))
        assert code == 0, f"{argv}: {output.decode()}"
        return str(output.decode())

    def _argv(self, user: str, *options: str) -> list[str]:
        exec_ = ["docker", "exec", *options, "--user", user, "--workdir", f"/home/{user}"]
        return [*exec_, str(self._container.name), "bash", "-lc"]


@contextmanager
def booted(system: System, directory: Path) -> Iterator[Machine]:
    """Make the system from its archive, boot it, and remove all of it at the end."""
    engine = docker.from_env(timeout=600)
    called = f"bare-{system.suite}"
    image = _image(engine, system, called, directory)
    clone = Clone.make(directory / "clone").directory
    # Where engines keep images and containers: no overlay file system lies on another.
    kept = {f"{called}-{name}": {"bind": f"/var/lib/{name}"} for name in ("docker", "containerd")}
    volumes = {
        **kept,
        str(clone): {"bind": "/srv/blackstart", "mode": "ro"},
        str(Cache().root): {"bind": "/srv/cache", "mode": "ro"},
    }
    network = engine.networks.create(called, driver="bridge")
    container = machine.create_with_all_capabilities(
        engine,
        image,
        ["/usr/local/sbin/machine-boot", *system.init],
        name=called,
        hostname="bare",
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        device_cgroup_rules=["a *:* rwm"],
        cgroupns="private",
        environment={"container": "docker"},
        tmpfs={"/run": "", "/tmp": "exec"},  # noqa: S108 - a mount of the container's own
        volumes=volumes,
        network=called,
        init=not system.more,
    )
    try:
        made = Machine(container, system)
        made.put("/usr/local/sbin/machine-boot", BOOT, 0o755)
        made.put(f"/etc/sudoers.d/{USER}", SUDOERS[system.passwordless], 0o440)
        for path in filter(lambda path: Path(path).exists(), TRUST):
            made.put(path, Path(path).read_bytes())
        container.start()
        made.as_root("useradd", "--create-home", "--shell", "/bin/bash", USER)
        made.as_root("sh", "-c", f"echo '{USER}:{PASSWORD}' | chpasswd")
        yield made
    finally:
        container.remove(force=True, v=True)
        network.remove()
        for name in kept:
            engine.volumes.get(name).remove(force=True)
        engine.images.remove(image, force=True)


def environment(machine: Machine) -> Mapping[str, str]:
    """Return the versions that decide what was tried."""
    asked = {
        "system": ". /etc/os-release && echo $PRETTY_NAME",
        "python": "python3 --version",
        "engine": "docker version --format '{{.Server.Version}}' 2>/dev/null",
        "kit": "cd ~/blackstart && git log -1 --format='%h of %cs'",
    }
    return {name: machine.run(command).stdout.strip() for name, command in asked.items()}


def _image(engine: docker.DockerClient, system: System, called: str, directory: Path) -> str:
    """Bootstrap the minimal variant with what README.md names, as an image."""
    packages.ensure({"mmdebstrap": "mmdebstrap"}, Silent())
    keyring = directory / "keyring.gpg"
    shutil.copyfile(_keyring(system.keyring, directory) if system.keyring else KEYRING, keyring)
    keyring.chmod(0o644)
    plain = [
        f"deb {system.archive} {system.suite} {system.components}",
        f"deb {system.archive} {system.suite}-updates {system.components}",
        f"deb {system.security} {system.suite}-security {system.components}",
    ]
    root = directory / "root.tar"
    subprocess.run(
        [
            *("mmdebstrap", "--mode=root", "--variant=minbase"),
            f"--include={','.join((*NAMED_BY_README, 'apt', 'ca-certificates', *system.more))}",
            '--aptopt=Acquire::Check-Valid-Until "false"',
            # The keys lie in the test's own directory, which apt's user may not enter.
            '--aptopt=APT::Sandbox::User "root"',
            "--dpkgopt=force-unsafe-io",
            "--customize-hook=printf '%s\\n' "
            + " ".join(_quoted(line) for line in plain)
            + ' >"$1/etc/apt/sources.list"',
            *(system.suite, str(root)),
            *(line.replace("deb ", f"deb [signed-by={keyring}] ") for line in plain),
        ],
        check=True,
    )
    engine.api.import_image_from_file(str(root), repository=called, tag="test")
    root.unlink()
    return f"{called}:test"


def _keyring(package: str, directory: Path) -> Path:
    """Return the keys of another archive, from Debian's package of them."""
    apt = directory / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    list_ = apt / "sources.list"
    list_.write_text(f"deb [signed-by={KEYRING}] {DEBIAN_12.archive} trixie main\n")
    options = {
        "Dir::Etc::SourceList": list_,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
    }
    words = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
    subprocess.run([*words, "update"], check=True)
    subprocess.run([*words, "download", package], check=True, cwd=apt)
    (archive,) = apt.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(archive), str(apt / "package")], check=True)
    return apt / "package" / "usr" / "share" / "keyrings" / "ubuntu-archive-keyring.gpg"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
