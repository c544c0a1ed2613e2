"""The image of iPDC's PMU simulator: what the user laid into the cache, else the publisher's.

The program is its command-line build, `<cache>/ipdc-pmu/<version>/<architecture>/PMU`.
"""

from pathlib import Path

from lab.images.foreign import ForeignSoftware

_FILE = "PMU"
_MACHINES = {"amd64": 62, "arm64": 183}
"""e_machine of an ELF file, by Debian's name of the architecture."""
_EXECUTABLE = (2, 3)
"""e_type: an executable, at an address of its own or at any."""


def _defect(path: Path, arch: str) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError as error:
        return error.strerror or str(error)
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return "it is no ELF executable"
    kind, machine = (int.from_bytes(head[at : at + 2], "little") for at in (16, 18))
    # Class 2 is 64 bits, data 1 is little-endian, as both architectures are.
    if head[4:6] != b"\x02\x01" or machine != _MACHINES[arch]:
        return f"it is a program for another architecture than {arch}"
    return "" if kind in _EXECUTABLE else "it is an ELF file, but no executable"


IPDC = ForeignSoftware(
    name="ipdc",
    title="iPDC's PMU simulator",
    program="ipdc-pmu",
    file=_FILE,
    machine_code=True,
    kind=f"its command-line program {_FILE}",
    defect=_defect,
    remake="Lay its program that takes `-i FILE`, built for this machine, there; or set lab_pmu "
    "to grid.",
    upstream="docker.io/claudiolor/pmu-cli:latest",
    setting="lab_pmu",
)
"""The PMU simulator; the publisher's image has the program on its PATH."""
