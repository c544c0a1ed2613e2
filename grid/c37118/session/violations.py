"""What senders do wrong, and the counts of a receiver."""

import enum
from dataclasses import dataclass

from grid.c37118.errors import FrameError


class Violation(enum.StrEnum):
    """Kinds of protocol violations by a sender."""

    CRC = "crc"
    """Frames with a wrong CRC."""
    GARBAGE = "garbage"
    """Bytes that are no frame, or a truncated one."""
    IDCODE = "idcode"
    """Frames of another stream."""
    CONTRADICTION = "contradiction"
    """Data frames whose size is not that of the configuration."""
    CONFIGURATION = "configuration"
    """A configuration that cannot be read."""
    STRANGER = "stranger"
    """Datagrams with the right IDCODE from a second sender."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A violation by the sender, reported once for each kind. The stream goes on."""

    kind: Violation
    """The kind of violation."""
    what: str
    """One sentence for the log."""


@dataclass(kw_only=True, slots=True)
class ReceiverCounts:
    """What a receiver received so far."""

    connections: int = 0
    """How often it connected."""
    attempts: int = 0
    """How often it tried to connect."""
    bytes: int = 0
    """Bytes received: all frames, and what is no frame."""
    frames: int = 0
    """Data frames that fit the configuration."""
    unconfigured: int = 0
    """Data frames before the first CFG-2, without which they cannot be read."""
    configurations: int = 0
    """CFG-2 frames."""
    configurations3: int = 0
    """CFG-3, each complete."""
    configuration_changes: int = 0
    """CFG-2 frames that differed from the one before in more than the time."""
    bad_crcs: int = 0
    """Frames with a wrong CRC."""
    skipped_bytes: int = 0
    """Bytes that belonged to no valid frame."""
    wrong_idcodes: int = 0
    """Frames of another stream."""
    contradictions: int = 0
    """Data frames that did not fit the configuration."""
    bad_configurations: int = 0
    """Configurations that could not be read."""
    strangers: int = 0
    """Datagrams of a second sender."""

    def count(self, kind: Violation) -> None:
        """Count a violation; wrong CRCs and skipped bytes are counted by the reassembler."""
        self.wrong_idcodes += kind is Violation.IDCODE
        self.contradictions += kind is Violation.CONTRADICTION
        self.bad_configurations += kind is Violation.CONFIGURATION
        self.strangers += kind is Violation.STRANGER


class ViolationError(FrameError):
    """A frame that the sender should not have sent; kept within this package."""

    def __init__(self, kind: Violation, what: str) -> None:
        super().__init__(what)
        self.kind = kind
