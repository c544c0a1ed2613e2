"""All of a lab's files into the cache: built, bootstrapped or downloaded, side by side.

Go builds take both processors, and Debian's packages and downloads the network, so
there is one queue for each. On two processors the Kubernetes build decides how long
the whole takes; what the cache has already costs milliseconds.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from lab.artefacts import golang, k3s, k3s_images, programs, toolchain
from lab.artefacts.cache import Artefact, Cache, machine_architecture
from lab.artefacts.golang import Program
from lab.artefacts.jobs import Job, Jobs
from lab.artefacts.toolchain import Toolchain
from lab.bundle import software
from lab.bundle.bundle import Bundle, merged
from lab.config.settings import Settings
from lab.console.progress import Progress
from lab.host import packages, privileges
from lab.host.requirements import GIB, DiskSpace, Requirements
from lab.images import build, mysql
from lab.images.foreign import ForeignSoftware

LIMIT_S = 3600.0
"""The longest that all of it may take."""
DISK = 8 * GIB
"""The artefact cache and what the builds leave, where it is empty."""
PROGRAMS = {"mmdebstrap": "mmdebstrap"}
"""What the images need on this machine, with its Debian package."""
PROGRAMS_TO_BUILD = {"gcc": "gcc", "/usr/include/stdio.h": "libc6-dev"}
"""What kubeadm's programs need besides: flanneld is linked by a C compiler."""
_KUBEADM_IMAGES = ("kubernetes", "etcd", "coredns", "pause", "flannel")


def requirements(cache: Cache) -> Requirements:
    """Return what `prepare` takes of this machine, whatever the distribution."""
    filled = cache.root.is_dir() and any(cache.root.iterdir())
    space = DiskSpace(path=cache.root, size=0 if filled else DISK, purpose="the artefact cache")
    needed = PROGRAMS if _needs_root(Settings(), cache) else {}
    return Requirements(programs=needed, disk=(space,))


def prepare(
    distribution: str,
    settings: Settings,
    cache: Cache,
    progress: Progress,
    *,
    storage: str = "",
    also: Mapping[str, Callable[[Job], Artefact]] | None = None,
) -> Bundle:
    """Return the bundle of `distribution` (k3s or kubeadm), complete in the cache.

    `storage` is the backend of the volumes: local-path has an image of its own. `also` is
    what the nodes themselves need, title to maker, which is made beside it.
    Raises LabError where something cannot be built or downloaded; what is finished by
    then stays.
    """
    if _needs_root(settings, cache):
        packages.ensure(PROGRAMS, progress)
        privileges.authorise(["make the images' Debian layers"])
    if distribution == "kubeadm" and _needs_compiler(settings, cache):
        packages.ensure(PROGRAMS_TO_BUILD, progress)
    with (
        progress.step("Prepare binaries and images", limit_s=LIMIT_S) as step,
        Jobs(step, progress) as jobs,
    ):
        return _Preparation(settings, cache, jobs).all(distribution, storage, also or {})


def _needs_root(settings: Settings, cache: Cache) -> bool:
    """Tell whether Debian's packages have to be unpacked, which only root can."""
    arch = machine_architecture()
    grid = build.gather("grid", version="1", cache=cache)
    return (
        build.needs_root("grid", [grid], arch=arch, cache=cache)
        or mysql.needs_root(settings.lab_mysql_source, arch=arch, cache=cache)
        or any(one.needs_root(arch, cache) for one in software.chosen(settings))
    )


def _needs_compiler(settings: Settings, cache: Cache) -> bool:
    arch = machine_architecture()
    return any(
        program.cgo and cache.find(program.artefact(arch), inputs=program.inputs) is None
        for program in _kubeadm_programs(settings)
    )


def _kubeadm_programs(settings: Settings) -> list[Program]:
    """Return what a kubeadm cluster is built of, the longest build first."""
    return [
        programs.kubernetes(settings.lab_kubernetes_version),
        programs.coredns(),
        programs.flannel(),
        programs.etcd(),
        programs.flannel_cni(),
        programs.pause(),
    ]


class _Preparation:
    """One call of `prepare`."""

    def __init__(self, settings: Settings, cache: Cache, jobs: Jobs) -> None:
        self._settings = settings
        self._cache = cache
        self._jobs = jobs
        self._arch = machine_architecture()
        self._go: Toolchain | None = None
        self._go_lock = threading.Lock()

    def all(
        self, distribution: str, storage: str, also: Mapping[str, Callable[[Job], Artefact]]
    ) -> Bundle:
        """Queue everything, longest first, and wait."""
        settings, cache, arch = self._settings, self._cache, self._arch
        kubernetes = self._kubeadm() if distribution == "kubeadm" else self._k3s()
        parts = [kubernetes]
        if storage == "local-path":
            parts.append(self._local_path())
        parts += [self._foreign(one) for one in software.chosen(settings)]
        for title, make in also.items():
            self._jobs.add("debian", title, make)
        database = self._jobs.add(
            "debian",
            "MySQL image",
            lambda job: mysql.image(settings.lab_mysql_source, arch=arch, cache=cache, job=job),
        )
        grid = build.gather("grid", version="1", cache=cache)
        grid_archive = self._jobs.add(
            "debian",
            "PMU and PDC image",
            lambda job: build.bundle("grid", [grid], arch=arch, cache=cache, job=job),
        )
        self._jobs.wait(limit_s=LIMIT_S)
        workloads = Bundle(
            files={},
            image_archives=[database.result().archive.relative, grid_archive.result().relative],
            images={"mysql": database.result().name, "grid": grid.names[0]},
            versions={"mysql": database.result().version},
        )
        return merged([*(part.result() for part in parts), workloads])

    def _kubeadm(self) -> "Future[Bundle]":
        wanted = _kubeadm_programs(self._settings)
        built = [self._build(program) for program in wanted]
        versions = {program.name: program.version for program in wanted}

        def gather(job: Job) -> Bundle:
            files = {future.result().name: future.result() for future in built}
            images = {
                name: build.gather(
                    name, version=versions[name], cache=self._cache, programs=[*files.values()]
                )
                for name in _KUBEADM_IMAGES
            }
            archive = build.bundle(
                "kubeadm", [*images.values()], arch=self._arch, cache=self._cache, job=job
            )
            return Bundle(
                files={name: artefact.relative for name, artefact in files.items()},
                image_archives=[archive.relative],
                images={name: image.names[0] for name, image in images.items()},
                versions={"distribution": "kubeadm", **versions},
            )

        return self._jobs.add("archives", "Kubernetes images", gather)

    def _k3s(self) -> "Future[Bundle]":
        release = k3s.Release(
            version=self._settings.lab_k3s_version,
            arch=self._arch,
            mirror=self._settings.lab_k3s_mirror,
        )
        binary = self._jobs.add(
            "downloads", "k3s", lambda job: k3s.binary(release, cache=self._cache, job=job)
        )
        images = self._jobs.add(
            "downloads",
            "k3s images",
            lambda job: k3s.images(release, cache=self._cache, job=job),
        )

        def gather(job: Job) -> Bundle:
            # The program comes first: it may have to say which images it starts.
            program = binary.result()
            archive = images.result() or self._k3s_images(release, job)
            return Bundle(
                files={"k3s": program.relative},
                image_archives=[archive.relative],
                images={},
                versions={"distribution": "k3s", "k3s": release.version},
            )

        return self._jobs.add("archives", "k3s images", gather)

    def _k3s_images(self, release: k3s.Release, job: Job) -> Artefact:
        """Build the two images that k3s needs, where its own archive is not available."""
        wanted = [programs.coredns(), programs.pause()]
        built = [
            golang.build(program, arch=self._arch, cache=self._cache, go=self._toolchain, job=job)
            for program in wanted
        ]
        names = k3s_images.needed(release, cache=self._cache)
        sources = [
            build.gather(
                program.name,
                version=program.version,
                cache=self._cache,
                programs=built,
                names=names[program.name],
            )
            for program in wanted
        ]
        return build.bundle("k3s", sources, arch=self._arch, cache=self._cache, job=job)

    def _local_path(self) -> "Future[Bundle]":
        """Build the program that makes volumes of a node's directories, and its image."""
        program = programs.local_path()
        built = self._build(program)

        def gather(job: Job) -> Bundle:
            image = build.gather(
                program.name,
                version=program.version,
                cache=self._cache,
                programs=[built.result()],
            )
            archive = build.bundle(
                program.name, [image], arch=self._arch, cache=self._cache, job=job
            )
            return Bundle(
                files={},
                image_archives=[archive.relative],
                images={program.name: image.names[0]},
                versions={program.name: program.version},
            )

        return self._jobs.add("archives", "local-path image", gather)

    def _foreign(self, chosen: ForeignSoftware) -> "Future[Bundle]":
        def make(job: Job) -> Bundle:
            image = chosen.image(arch=self._arch, cache=self._cache, job=job)
            return Bundle(
                files={},
                image_archives=[image.archive.relative],
                images={chosen.name: image.name},
                versions={chosen.name: image.version},
            )

        return self._jobs.add("debian", f"image of {chosen.title}", make)

    def _build(self, program: Program) -> "Future[Artefact]":
        return self._jobs.add(
            "go",
            f"{program.name} {program.version}",
            lambda job: golang.build(
                program, arch=self._arch, cache=self._cache, go=self._toolchain, job=job
            ),
        )

    def _toolchain(self, job: Job) -> Toolchain:
        with self._go_lock:
            self._go = self._go or toolchain.find(self._cache, job)
            return self._go
