"""The rows that openPDC expects in its fixed tables, and those of Runtime."""

from collections.abc import Sequence
from typing import Any

from grid.pdc.openpdc.sql import SqlCursor

PROTOCOLS = (("IeeeC37_118V1", "IEEE C37.118-2005"), ("IeeeC37_118V2", "IEEE C37.118.2-2011"))
"""Acronym, Name."""

SIGNAL_TYPES = (
    ("IPHM", "Current Magnitude", "PM", "I", "CurrentMagnitude", "Phasor", "Amps"),
    ("IPHA", "Current Phase Angle", "PA", "IH", "CurrentAngle", "Phasor", "Degrees"),
    ("VPHM", "Voltage Magnitude", "PM", "V", "VoltageMagnitude", "Phasor", "Volts"),
    ("VPHA", "Voltage Phase Angle", "PA", "VH", "VoltageAngle", "Phasor", "Degrees"),
    ("FREQ", "Frequency", "FQ", "F", "Frequency", "PMU", "Hz"),
    ("DFDT", "Frequency Delta (dF/dt)", "DF", "DF", "DfDt", "PMU", ""),
    ("ALOG", "Analog Value", "AV", "AV", "Analog", "PMU", ""),
    ("FLAG", "Status Flags", "SF", "S", "StatusFlags", "PMU", ""),
    ("DIGI", "Digital Value", "DV", "DV", "Digital", "PMU", ""),
    ("CALC", "Calculated Value", "CV", "CV", "Calculated", "PMU", ""),
    ("STAT", "Statistic", "ST", "ST", "Statistic", "Any", ""),
    ("ALRM", "Alarm", "AL", "AL", "Alarm", "Any", ""),
    ("QUAL", "Quality Flags", "QF", "QF", "QualityFlags", "Frame", ""),
)
"""Acronym, Name, Suffix, Abbreviation, LongAcronym, Source, EngineeringUnits."""

ENTITIES = (
    ("FilterAdapters", "IaonFilterAdapter"),
    ("InputAdapters", "IaonInputAdapter"),
    ("ActionAdapters", "IaonActionAdapter"),
    ("OutputAdapters", "IaonOutputAdapter"),
    ("ActiveMeasurements", "ActiveMeasurement"),
    ("InputStreamDevices", "RuntimeInputStreamDevice"),
    ("OutputStreamDevices", "RuntimeOutputStreamDevice"),
    ("OutputStreamMeasurements", "RuntimeOutputStreamMeasurement"),
    ("OutputStreamDevicePhasors", "OutputStreamDevicePhasor"),
    ("OutputStreamDeviceAnalogs", "OutputStreamDeviceAnalog"),
    ("OutputStreamDeviceDigitals", "OutputStreamDeviceDigital"),
    ("Statistics", "RuntimeStatistic"),
    ("Subscribers", "Subscriber"),
    ("SubscriberMeasurements", "SubscriberMeasurement"),
    ("SubscriberMeasurementGroups", "SubscriberMeasurementGroup"),
    ("MeasurementGroups", "MeasurementGroup"),
    ("MeasurementGroupMeasurements", "MeasurementGroupMeasurement"),
    ("Alarms", "Alarm"),
    ("NodeInfo", "NodeInfo"),
)
"""RuntimeName, SourceName: what openPDC loads, and of which table or view."""

OPERATIONS = (
    (
        "PerformTimeSeriesStartupOperations",
        "GSF.TimeSeries.dll",
        "GSF.TimeSeries.TimeSeriesStartupOperations",
    ),
    (
        "PhasorDataSourceValidation",
        "PhasorProtocolAdapters.dll",
        "PhasorProtocolAdapters.CommonPhasorServices",
    ),
)
"""MethodName, AssemblyName, TypeName: what openPDC runs when it starts."""

_ADAPTERS = (
    "Device",
    "OutputStream",
    "Historian",
    "CalculatedMeasurement",
    "CustomInputAdapter",
    "CustomActionAdapter",
    "CustomOutputAdapter",
)


def fill_types(cursor: SqlCursor) -> None:
    """Insert what is missing of protocols and signal types; what is there stays as it is."""
    _missing(cursor, "Protocol", ("Acronym", "Name"), PROTOCOLS)
    columns = ("Acronym", "Name", "Suffix", "Abbreviation", "LongAcronym")
    _missing(cursor, "SignalType", (*columns, "Source", "EngineeringUnits"), SIGNAL_TYPES)
    # Tables of an earlier pdc init had neither of the two.
    for acronym, _, _, abbreviation, long, _, _ in SIGNAL_TYPES:
        cursor.execute(
            "UPDATE SignalType SET Abbreviation = %s, LongAcronym = %s"
            " WHERE Acronym = %s AND Abbreviation = ''",
            (abbreviation, long, acronym),
        )


def types(cursor: SqlCursor, table: str) -> dict[str, int]:
    """Return the ids of Protocol or SignalType by acronym; they differ by database."""
    cursor.execute(f"SELECT Acronym, ID FROM {table}")  # noqa: S608
    return {str(acronym): int(number) for acronym, number in cursor.fetchall()}


def fill_start(cursor: SqlCursor) -> None:
    """Insert what is missing of what openPDC loads and runs when it starts."""
    _missing(
        cursor,
        "ConfigurationEntity",
        ("RuntimeName", "SourceName", "LoadOrder", "Enabled"),
        [(*entity, order, 1) for order, entity in enumerate(ENTITIES, start=1)],
    )
    _missing(
        cursor,
        "DataOperation",
        ("MethodName", "AssemblyName", "TypeName", "Arguments", "LoadOrder", "Enabled"),
        [(*operation, "", order, 1) for order, operation in enumerate(OPERATIONS)],
    )


def number_adapters(cursor: SqlCursor) -> None:
    """Make Runtime have one row for each adapter; openPDC's own triggers leave nothing to do."""
    for table in _ADAPTERS:
        # Table names are literals of this file.
        cursor.execute(
            f"DELETE r FROM Runtime r LEFT JOIN {table} s ON s.ID = r.SourceID"
            " WHERE r.SourceTable = %s AND s.ID IS NULL",
            (table,),
        )
        cursor.execute(
            "INSERT INTO Runtime (SourceID, SourceTable)"  # noqa: S608
            f" SELECT s.ID, %s FROM {table} s LEFT JOIN Runtime r"
            " ON r.SourceID = s.ID AND r.SourceTable = %s WHERE r.ID IS NULL ORDER BY s.ID",
            (table, table),
        )


def _missing(
    cursor: SqlCursor, table: str, columns: Sequence[str], wanted: Sequence[tuple[Any, ...]]
) -> None:
    """Insert the rows whose first column no row of `table` has."""
    # Table and column names are literals of this file.
    cursor.execute(f"SELECT {columns[0]} FROM {table}")  # noqa: S608
    present = {row[0] for row in cursor.fetchall()}
    marks = ", ".join(["%s"] * len(columns))
    for row in wanted:
        if row[0] not in present:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                row,
            )
