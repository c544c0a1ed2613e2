import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .switchboard import NamespaceNode, switchboard

MISSING = [
    program
    for program in ("ip", "iptables", "ip6tables", "iptables-restore")
    if not shutil.which(program)
]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[dict[str, NamespaceNode]]:
    """Return a worker, two servers and the control machine on one switch."""
    if os.geteuid() != 0 or MISSING:
        pytest.skip(f"needs root and {', '.join(MISSING) or 'network namespaces'}")
    ports = {"worker": [22, 10250], "server-1": [6443, 10250], "server-2": [6443], "control": [80]}
    with switchboard(tmp_path, ports) as found:
        yield found
