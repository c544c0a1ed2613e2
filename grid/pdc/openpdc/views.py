"""The views that openPDC loads as its configuration, made of the tables.

Names and columns are those that openPDC asks for. It finds the adapters to start in four views
named Iaon- (input, action, output, filter), each with an id of Runtime and a connection string
that is put together of the columns of a row. CONCAT_WS leaves out what is NULL.
"""

from collections.abc import Mapping

_ADAPTER = "NodeID, ID, AdapterName, AssemblyName, TypeName, ConnectionString"

_DEVICE_SETTINGS = {
    "isConcentrator": "IsConcentrator",
    "accessID": "AccessID",
    "timeZone": "TimeZone",
    "timeAdjustmentTicks": "TimeAdjustmentTicks",
    "phasorProtocol": "p.Acronym",
    "dataLossInterval": "DataLossInterval",
    "allowedParsingExceptions": "AllowedParsingExceptions",
    "parsingExceptionWindow": "ParsingExceptionWindow",
    "delayedConnectionInterval": "DelayedConnectionInterval",
    "allowUseOfCachedConfiguration": "AllowUseOfCachedConfiguration",
    "autoStartDataParsingSequence": "AutoStartDataParsingSequence",
    "skipDisableRealTimeData": "SkipDisableRealTimeData",
    "measurementReportingInterval": "MeasurementReportingInterval",
    "connectOnDemand": "ConnectOnDemand",
}
_SORTING_SETTINGS = {
    "lagTime": "LagTime",
    "leadTime": "LeadTime",
    "framesPerSecond": "FramesPerSecond",
    "useLocalClockAsRealTime": "UseLocalClockAsRealTime",
    "allowSortsByArrival": "AllowSortsByArrival",
    "ignoreBadTimestamps": "IgnoreBadTimeStamps",
    "timeResolution": "TimeResolution",
    "allowPreemptivePublishing": "AllowPreemptivePublishing",
    "performTimestampReasonabilityCheck": "PerformTimeReasonabilityCheck",
    "downsamplingMethod": "DownsamplingMethod",
}
_STREAM_SETTINGS = {
    "dataChannel": "CONCAT('{', DataChannel, '}')",
    "commandChannel": "CONCAT('{', CommandChannel, '}')",
    "idCode": "IDCode",
    "autoPublishConfigFrame": "AutoPublishConfigFrame",
    "autoStartDataChannel": "AutoStartDataChannel",
    "nominalFrequency": "NominalFrequency",
    **_SORTING_SETTINGS,
    "dataFormat": "DataFormat",
    "coordinateFormat": "CoordinateFormat",
    "currentScalingValue": "CurrentScalingValue",
    "voltageScalingValue": "VoltageScalingValue",
    "analogScalingValue": "AnalogScalingValue",
    "digitalMaskValue": "DigitalMaskValue",
}
_CALCULATION_SETTINGS = {
    "configurationSection": "ConfigSection",
    "inputMeasurementKeys": "CONCAT('{', InputMeasurements, '}')",
    "outputMeasurements": "CONCAT('{', OutputMeasurements, '}')",
    "minimumMeasurementsToUse": "MinimumMeasurementsToUse",
    **_SORTING_SETTINGS,
}
_HISTORIAN_SETTINGS = {
    "instanceName": "s.Acronym",
    "sourceids": "s.Acronym",
    "measurementReportingInterval": "MeasurementReportingInterval",
}


def _string(settings: Mapping[str, str]) -> str:
    parts = ", ".join(f"CONCAT('{key}=', {value})" for key, value in settings.items())
    return f"CONCAT_WS('; ', s.ConnectionString, {parts})"


def _adapters(
    table: str,
    *,
    name: str = "s.AdapterName",
    assembly: str = "s.AssemblyName",
    kind: str = "s.TypeName",
    string: str = "s.ConnectionString",
    join: str = "",
    where: str = "",
) -> str:
    """Return the query of a view of adapters, one of each enabled row of `table`."""
    # All parts are literals of this file.
    return (
        f"SELECT s.NodeID, r.ID, {name} AS AdapterName, {assembly} AS AssemblyName,"  # noqa: S608
        f" {kind} AS TypeName, {string} AS ConnectionString FROM {table} s{join}"
        f" LEFT JOIN Runtime r ON r.SourceTable = '{table}' AND r.SourceID = s.ID"
        f" WHERE s.Enabled <> 0{where} ORDER BY s.LoadOrder"
    )


def _union(*views: str) -> str:
    return " UNION ALL ".join(f"SELECT {_ADAPTER} FROM {view}" for view in views)  # noqa: S608


VIEWS = {
    "NodeInfo": """
        SELECT n.ID AS NodeID, n.Name, c.Name AS CompanyName, n.Longitude, n.Latitude,
            n.Description, n.ImagePath, n.Settings, n.MenuType, n.MenuData, n.Master, n.Enabled
        FROM Node n LEFT JOIN Company c ON c.ID = n.CompanyID""",
    "RuntimeDevice": _adapters(
        "Device",
        name="s.Acronym",
        assembly="p.AssemblyName",
        kind="p.TypeName",
        string=_string(_DEVICE_SETTINGS),
        join=" LEFT JOIN Protocol p ON p.ID = s.ProtocolID",
        where=" AND s.ParentID IS NULL",
    ),
    "RuntimeOutputStream": _adapters(
        "OutputStream",
        name="s.Acronym",
        assembly="'PhasorProtocolAdapters.dll'",
        kind="CONCAT('PhasorProtocolAdapters.', CASE Type WHEN 1 THEN 'BpaPdcStream'"
        " WHEN 2 THEN 'Iec61850_90_5' ELSE 'IeeeC37_118' END, '.Concentrator')",
        string=_string(_STREAM_SETTINGS),
    ),
    "RuntimeHistorian": _adapters(
        "Historian",
        name="s.Acronym",
        assembly="COALESCE(NULLIF(s.AssemblyName, ''), 'HistorianAdapters.dll')",
        kind="COALESCE(NULLIF(s.TypeName, ''), CONCAT('HistorianAdapters.',"
        " IF(IsLocal = 1, 'Local', 'Remote'), 'OutputAdapter'))",
        string=_string(_HISTORIAN_SETTINGS),
    ),
    "RuntimeCalculatedMeasurement": _adapters(
        "CalculatedMeasurement", name="s.Acronym", string=_string(_CALCULATION_SETTINGS)
    ),
    "RuntimeCustomInputAdapter": _adapters("CustomInputAdapter"),
    "RuntimeCustomActionAdapter": _adapters("CustomActionAdapter"),
    # Rows of other programs, MQTT of this PDC among them, name no .NET assembly.
    "RuntimeCustomOutputAdapter": _adapters(
        "CustomOutputAdapter", where=" AND s.AssemblyName LIKE '%.dll'"
    ),
    "RuntimeCustomFilterAdapter": _adapters("CustomFilterAdapter"),
    "IaonInputAdapter": _union("RuntimeDevice", "RuntimeCustomInputAdapter"),
    "RuntimeServices": """
        SELECT ID AS NodeID, 0 AS ID, 'PHASOR!SERVICES' AS AdapterName,
            'PhasorProtocolAdapters.dll' AS AssemblyName,
            'PhasorProtocolAdapters.CommonPhasorServices' AS TypeName, '' AS ConnectionString
        FROM Node""",
    "IaonActionAdapter": _union(
        "RuntimeServices",
        "RuntimeOutputStream",
        "RuntimeCalculatedMeasurement",
        "RuntimeCustomActionAdapter",
    ),
    "IaonOutputAdapter": _union("RuntimeHistorian", "RuntimeCustomOutputAdapter"),
    "IaonFilterAdapter": _union("RuntimeCustomFilterAdapter"),
    "RuntimeInputStreamDevice": """
        SELECT s.NodeID, f.ID AS ParentID, r.ID, s.Acronym, s.Name, s.AccessID
        FROM Device s
        LEFT JOIN Runtime r ON r.SourceTable = 'Device' AND r.SourceID = s.ID
        LEFT JOIN Runtime f ON f.SourceTable = 'Device' AND f.SourceID = s.ParentID
        WHERE s.Enabled <> 0 AND s.IsConcentrator = 0 AND s.ParentID IS NOT NULL
        ORDER BY s.LoadOrder""",
    "RuntimeOutputStreamDevice": """
        SELECT s.NodeID, r.ID AS ParentID, s.ID, s.IDCode, s.Acronym, s.BpaAcronym, s.Name,
            NULLIF(s.PhasorDataFormat, '') AS PhasorDataFormat,
            NULLIF(s.FrequencyDataFormat, '') AS FrequencyDataFormat,
            NULLIF(s.AnalogDataFormat, '') AS AnalogDataFormat,
            NULLIF(s.CoordinateFormat, '') AS CoordinateFormat, s.LoadOrder
        FROM OutputStreamDevice s
        LEFT JOIN Runtime r ON r.SourceTable = 'OutputStream' AND r.SourceID = s.AdapterID
        WHERE s.Enabled <> 0 ORDER BY s.LoadOrder""",
    "RuntimeOutputStreamMeasurement": """
        SELECT s.NodeID, r.ID AS AdapterID, h.Acronym AS Historian, s.PointID, s.SignalReference
        FROM OutputStreamMeasurement s
        LEFT JOIN Runtime r ON r.SourceTable = 'OutputStream' AND r.SourceID = s.AdapterID
        LEFT JOIN Historian h ON h.ID = s.HistorianID
        ORDER BY s.HistorianID, s.PointID""",
    "RuntimeStatistic": """
        SELECT n.ID AS NodeID, s.ID, s.Source, s.SignalIndex, s.Name, s.Description,
            s.AssemblyName, s.TypeName, s.MethodName, s.Arguments, s.IsConnectedState,
            s.DataType, s.DisplayFormat, s.Enabled
        FROM Statistic s CROSS JOIN Node n""",
    # Every node sees the measurements of all.
    "ActiveMeasurement": """
        SELECT n.ID AS NodeID, COALESCE(d.NodeID, h.NodeID) AS SourceNodeID,
            CONCAT(COALESCE(h.Acronym, d.Acronym, '__'), ':', m.PointID) AS ID, m.SignalID,
            m.PointTag, m.AlternateTag, m.SignalReference, m.Internal, m.Subscribed,
            d.Acronym AS Device,
            IF(d.IsConcentrator = 0 AND d.ParentID IS NOT NULL, f.ID, r.ID) AS DeviceID,
            COALESCE(d.FramesPerSecond, 30) AS FramesPerSecond, p.Acronym AS Protocol,
            p.Type AS ProtocolType, t.Acronym AS SignalType, t.EngineeringUnits,
            a.ID AS PhasorID, a.Label AS PhasorLabel, a.Type AS PhasorType, a.Phase, a.BaseKV,
            m.Adder, m.Multiplier, c.Acronym AS Company, d.Longitude, d.Latitude,
            m.Description, m.UpdatedOn
        FROM Measurement m
        CROSS JOIN Node n
        JOIN SignalType t ON t.ID = m.SignalTypeID
        LEFT JOIN Device d ON d.ID = m.DeviceID
        LEFT JOIN Company c ON c.ID = d.CompanyID
        LEFT JOIN Protocol p ON p.ID = d.ProtocolID
        LEFT JOIN Historian h ON h.ID = m.HistorianID
        LEFT JOIN Phasor a ON a.DeviceID = m.DeviceID AND a.SourceIndex = m.PhasorSourceIndex
        LEFT JOIN Runtime r ON r.SourceTable = 'Device' AND r.SourceID = d.ID
        LEFT JOIN Runtime f ON f.SourceTable = 'Device' AND f.SourceID = d.ParentID
        WHERE m.Enabled <> 0 AND COALESCE(d.Enabled, 1) <> 0
        UNION ALL
        SELECT NodeID, SourceNodeID, CONCAT(Source, ':', PointID), SignalID, PointTag,
            AlternateTag, SignalReference, 0, 1, NULL, NULL, FramesPerSecond, ProtocolAcronym,
            ProtocolType, SignalTypeAcronym, '', PhasorID, '', PhasorType, Phase, 0, Adder,
            Multiplier, CompanyAcronym, Longitude, Latitude, Description, UTC_TIMESTAMP()
        FROM ImportedMeasurement WHERE Enabled <> 0""",
}
"""The query of each view, by its name; a view follows those that it is made of."""
