"""The last good configuration, kept on disk for the times when the database is away."""

import json
import os
import time
from pathlib import Path

from grid.pdc.topology import document
from grid.pdc.topology.model import Topology


class TopologyCache:
    """The cache file of a topology, which is either whole or absent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """The path of the file."""

    def save(self, topology: Topology) -> None:
        """Replace the file; OSError where that fails."""
        content = {"saved": int(time.time()), "topology": document.to_document(topology)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(self.path.name + ".new")
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)

    def load(self) -> tuple[Topology, int] | None:
        """Return the topology and the Unix time of its saving; None if there is none.

        A damaged file counts as none: it is only a copy.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return document.from_document(content["topology"]), int(content["saved"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
