"""What a sender can do wrong, and the counts that a receiver keeps."""

import enum
from dataclasses import dataclass


class Violation(enum.StrEnum):
    """The kinds of things that a sender can do wrong."""

    CRC = "crc"
    """Frames with a wrong CRC."""
    GARBAGE = "garbage"
    """Bytes that are no frame, or a truncated one."""
    IDCODE = "idcode"
    """Frames of another stream."""
    CONTRADICTION = "contradiction"
    """Data frames that do not fit the configuration."""
    CONFIGURATION = "configuration"
    """A configuration that cannot be read."""
    STRANGER = "stranger"
    """Datagrams with the right IDCODE from a second sender."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something a sender did wrong, told once for each kind. The stream goes on."""

    kind: Violation
    """What it is."""
    what: str
    """One sentence for the log."""


@dataclass(kw_only=True, slots=True)
class ReceiverCounts:
    """What a receiver got so far."""

    connections: int = 0
    """How often it connected."""
    attempts: int = 0
    """How often it tried to."""
    bytes: int = 0
    """Bytes received, garbage and commands' answers included."""
    frames: int = 0
    """Data frames that fit the configuration."""
    unconfigured: int = 0
    """Data frames before the first configuration, which cannot be read."""
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
        """Count a frame that the sender should not have sent."""
        self.wrong_idcodes += kind is Violation.IDCODE
        self.contradictions += kind is Violation.CONTRADICTION
        self.bad_configurations += kind is Violation.CONFIGURATION
        self.strangers += kind is Violation.STRANGER
