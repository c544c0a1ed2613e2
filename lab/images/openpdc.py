"""openPDC's image: mono and the program that the user laid into the cache, else the publisher's.

The program is a tar of the folder that has openPDC.exe, built for mono, at
`<cache>/openpdc/<version>/any/openPDC.tar.gz`. It holds no machine code.
"""

import tarfile
from pathlib import Path

from lab.images.foreign import ForeignSoftware

_FILE = "openPDC.tar.gz"
_PROGRAM = "openPDC.exe"


def _defect(path: Path, _arch: str) -> str:
    try:
        with tarfile.open(path, "r:gz") as tar:
            names = {name.removeprefix("./") for name in tar.getnames()}
    except (OSError, EOFError, tarfile.TarError) as error:
        return str(error)
    return "" if _PROGRAM in names else f"it has no {_PROGRAM} at its top"


OPENPDC = ForeignSoftware(
    name="openpdc",
    title="openPDC",
    program="openpdc",
    file=_FILE,
    machine_code=False,
    kind=f"a tar of the folder with {_PROGRAM}, built for mono,",
    defect=_defect,
    remake=f"Make it again of the folder that has {_PROGRAM}: tar -C FOLDER -czf {_FILE} .",
    upstream="docker.io/gridprotectionalliance/openpdc:v2.9.148",
    setting="lab_pdc",
)
"""The PDC; the publisher's image has it in /opt/openPDC."""
