"""Databases of other origins: as openPDC's own scripts leave them, and as pdc init once did.

They are made of the tables of grid/pdc/openpdc, changed where the other ones differ.
"""

from grid.pdc.openpdc import rows, schema, start_tables

VERSIONS = (5, 16)
"""The schema versions of openPDC's configuration database."""

_THEIRS = {
    "MenuData TEXT NOT NULL DEFAULT ('Menu.xml')": "MenuData TEXT NOT NULL",
    "Abbreviation VARCHAR(2) NOT NULL DEFAULT ''": "Abbreviation VARCHAR(2) NOT NULL",
    "UniqueID CHAR(36) NOT NULL DEFAULT (UUID()) UNIQUE": "UniqueID CHAR(36) NULL UNIQUE",
    "DEFAULT (UUID())": "DEFAULT ''",
    "REFERENCES Device (ID) ON DELETE CASCADE\n        FOREIGN KEY (ProtocolID)": (
        "REFERENCES Device (ID)\n        FOREIGN KEY (ProtocolID)"
    ),
}
_VERSION_5 = {"        BaseKV INT NOT NULL DEFAULT 0\n": ""}
_VERSION_16 = {"PointID INT": "PointID BIGINT"}

_PROTOCOLS_5 = ("IeeeC37_118V1", "IeeeC37_118D6", "Ieee1344", "BpaPdcStream", "FNet")
_PROTOCOLS_5 += ("SelFastMessage", "Macrodyne", "GatewayTransport", "IeeeC37_118V2")
_PROTOCOLS_16 = ("IeeeC37_118V1", "IeeeC37_118V2", "IeeeC37_118D6")

_PROTOCOL = "INSERT INTO Protocol (Acronym, Name) VALUES ('ONE', 'ONE')"
_SIGNAL_TYPE = (
    "INSERT INTO SignalType (Acronym, Name, Suffix, Abbreviation, LongAcronym, Source) VALUES "
)
_TRIGGERS = (
    "CREATE TRIGGER TABLEAdded AFTER INSERT ON TABLE FOR EACH ROW"
    " INSERT INTO Runtime (SourceID, SourceTable) VALUES (NEW.ID, 'TABLE')",
    "CREATE TRIGGER TABLERemoved BEFORE DELETE ON TABLE FOR EACH ROW"
    " DELETE FROM Runtime WHERE SourceID = OLD.ID AND SourceTable = 'TABLE'",
)

_EARLIER = {
    "Protocol": "ID Acronym Name Type",
    "SignalType": "ID Name Acronym Suffix Source EngineeringUnits",
    "Node": "ID Name Description Master Enabled UpdatedOn",
    "Device": "NodeID ID ParentID UniqueID Acronym Name IsConcentrator AccessID ProtocolID"
    " ConnectionString FramesPerSecond DataLossInterval DelayedConnectionInterval LoadOrder"
    " Enabled",
    "Phasor": "ID DeviceID Label Type Phase SourceIndex",
    "Measurement": "PointID SignalID DeviceID PointTag SignalTypeID PhasorSourceIndex"
    " SignalReference Adder Multiplier Enabled",
    "OutputStream": "NodeID ID Acronym Name Type CommandChannel IDCode NominalFrequency"
    " FramesPerSecond LagTime AllowPreemptivePublishing DataFormat CoordinateFormat Enabled",
    "OutputStreamDevice": "NodeID AdapterID ID IDCode Acronym Name LoadOrder Enabled",
    "OutputStreamDevicePhasor": "NodeID OutputStreamDeviceID ID Label Type Phase LoadOrder",
    "OutputStreamDeviceAnalog": "NodeID OutputStreamDeviceID ID Label Type LoadOrder",
    "OutputStreamDeviceDigital": "NodeID OutputStreamDeviceID ID Label LoadOrder",
    "OutputStreamMeasurement": "NodeID AdapterID ID PointID SignalReference",
}
"""The columns of the first version's tables."""


def of_openpdc(version: int) -> list[str]:
    """Return the statements that make a database such as openPDC's script of `version` does."""
    changes = {**_THEIRS, **(_VERSION_5 if version == 5 else _VERSION_16)}
    made = []
    for table, text in {**schema.TABLES, **start_tables.TABLES}.items():
        if table == "CustomFilterAdapter" and version == 5:
            continue
        theirs = text
        for old, new in changes.items():
            theirs = theirs.replace(old, new)
        parts = ", ".join(line.strip() for line in theirs.strip().splitlines())
        made.append(f"CREATE TABLE {table} ({parts}) CHARACTER SET utf8mb4")
    made.append(f"CREATE VIEW SchemaVersion AS SELECT {version} AS VersionNumber")
    for table in ("Device", "OutputStream", "CustomOutputAdapter"):
        made += [statement.replace("TABLE", table) for statement in _TRIGGERS]
    protocols = _PROTOCOLS_5 if version == 5 else _PROTOCOLS_16
    made += [_PROTOCOL.replace("ONE", one) for one in protocols]
    made += [_SIGNAL_TYPE + str(signal[:6]) for signal in rows.SIGNAL_TYPES]
    return made


def made_earlier(present: list[tuple[str, str]]) -> list[str]:
    """Return the statements that make of pdc init's database what its first version left.

    `present` has table and column of all columns.
    """
    tables = {table for table, _ in present}
    made = ["SET SESSION foreign_key_checks = 0"]
    made += [f"DROP VIEW {name}" for name in sorted(tables - set(schema.TABLES)) if _view(name)]
    made += [f"DROP TABLE {name}" for name in sorted(start_tables.TABLES)]
    made.append("DROP TABLE CustomOutputAdapter")
    for table, columns in _EARLIER.items():
        known = columns.split()
        added = [c for t, c in present if t == table and c not in known]
        if added:
            made.append(f"ALTER TABLE {table} {', '.join(f'DROP COLUMN {c}' for c in added)}")
    made += [
        f"ALTER TABLE {name} MODIFY COLUMN ID INT NOT NULL" for name in ("Protocol", "SignalType")
    ]
    for column in ("Node.ID", "Device.UniqueID", "Measurement.SignalID"):
        table, name = column.split(".")
        made.append(f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT")
    made.append("DELETE FROM SignalType WHERE Acronym IN ('CALC', 'STAT', 'ALRM', 'QUAL')")
    return made


def _view(name: str) -> bool:
    return name not in start_tables.TABLES
