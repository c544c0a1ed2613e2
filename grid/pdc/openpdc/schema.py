"""The tables of openPDC's configuration database that this PDC reads and writes.

Names of tables and columns, types and defaults are openPDC's own (schema versions 5 to 17 of
its configuration database), so that both PDCs work on one database. start_tables.py has the
tables that only openPDC reads, views.py the views.
"""

ADAPTER = """
        NodeID CHAR(36) NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        AdapterName VARCHAR(200) NOT NULL
        AssemblyName TEXT NOT NULL
        TypeName TEXT NOT NULL
        ConnectionString TEXT NULL
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0"""
"""Columns of a table of adapters; openPDC has four of them."""

TABLES = {
    "Protocol": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Acronym VARCHAR(200) NOT NULL
        Name VARCHAR(200) NOT NULL
        Type VARCHAR(200) NOT NULL DEFAULT 'Frame'
        Category VARCHAR(200) NOT NULL DEFAULT 'Phasor'
        AssemblyName VARCHAR(1024) NOT NULL DEFAULT 'PhasorProtocolAdapters.dll'
        TypeName VARCHAR(200) NOT NULL DEFAULT 'PhasorProtocolAdapters.PhasorMeasurementMapper'
        LoadOrder INT NOT NULL DEFAULT 0""",
    "SignalType": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Name VARCHAR(200) NOT NULL
        Acronym VARCHAR(4) NOT NULL
        Suffix VARCHAR(2) NOT NULL
        Abbreviation VARCHAR(2) NOT NULL DEFAULT ''
        LongAcronym VARCHAR(200) NOT NULL DEFAULT 'Undefined'
        Source VARCHAR(10) NOT NULL
        EngineeringUnits VARCHAR(10) NULL""",
    "Node": """
        ID CHAR(36) NOT NULL DEFAULT (UUID()) PRIMARY KEY
        Name VARCHAR(200) NOT NULL UNIQUE
        CompanyID INT NULL
        Longitude DECIMAL(9, 6) NULL
        Latitude DECIMAL(9, 6) NULL
        Description TEXT NULL
        ImagePath TEXT NULL
        Settings TEXT NULL
        MenuType VARCHAR(200) NOT NULL DEFAULT 'File'
        MenuData TEXT NOT NULL DEFAULT ('Menu.xml')
        Master TINYINT NOT NULL DEFAULT 0
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0
        UpdatedOn DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP""",
    "Device": """
        NodeID CHAR(36) NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        ParentID INT NULL
        UniqueID CHAR(36) NOT NULL DEFAULT (UUID()) UNIQUE
        Acronym VARCHAR(200) NOT NULL
        Name VARCHAR(200) NULL
        OriginalSource VARCHAR(200) NULL
        IsConcentrator TINYINT NOT NULL DEFAULT 0
        CompanyID INT NULL
        HistorianID INT NULL
        AccessID INT NOT NULL DEFAULT 0
        ProtocolID INT NULL
        Longitude DECIMAL(9, 6) NULL
        Latitude DECIMAL(9, 6) NULL
        ConnectionString TEXT NULL
        TimeZone VARCHAR(200) NULL
        FramesPerSecond INT NULL DEFAULT 30
        TimeAdjustmentTicks BIGINT NOT NULL DEFAULT 0
        DataLossInterval DOUBLE NOT NULL DEFAULT 5
        AllowedParsingExceptions INT NOT NULL DEFAULT 10
        ParsingExceptionWindow DOUBLE NOT NULL DEFAULT 5
        DelayedConnectionInterval DOUBLE NOT NULL DEFAULT 5
        AllowUseOfCachedConfiguration TINYINT NOT NULL DEFAULT 1
        AutoStartDataParsingSequence TINYINT NOT NULL DEFAULT 1
        SkipDisableRealTimeData TINYINT NOT NULL DEFAULT 0
        MeasurementReportingInterval INT NOT NULL DEFAULT 100000
        ConnectOnDemand TINYINT NOT NULL DEFAULT 1
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0
        UNIQUE KEY IX_Device_NodeID_Acronym (NodeID, Acronym)
        FOREIGN KEY (NodeID) REFERENCES Node (ID)
        FOREIGN KEY (ParentID) REFERENCES Device (ID) ON DELETE CASCADE
        FOREIGN KEY (ProtocolID) REFERENCES Protocol (ID)""",
    "Phasor": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        DeviceID INT NOT NULL
        Label VARCHAR(200) NOT NULL
        Type CHAR(1) NOT NULL DEFAULT 'V'
        Phase CHAR(1) NOT NULL DEFAULT '+'
        BaseKV INT NOT NULL DEFAULT 0
        SourceIndex INT NOT NULL DEFAULT 0
        FOREIGN KEY (DeviceID) REFERENCES Device (ID) ON DELETE CASCADE""",
    "Measurement": """
        PointID INT NOT NULL AUTO_INCREMENT UNIQUE
        SignalID CHAR(36) NOT NULL DEFAULT (UUID()) PRIMARY KEY
        HistorianID INT NULL
        DeviceID INT NULL
        PointTag VARCHAR(200) NOT NULL
        AlternateTag TEXT NULL
        SignalTypeID INT NOT NULL
        PhasorSourceIndex INT NULL
        SignalReference VARCHAR(200) NOT NULL
        Adder DOUBLE NOT NULL DEFAULT 0.0
        Multiplier DOUBLE NOT NULL DEFAULT 1.0
        Description TEXT NULL
        Subscribed TINYINT NOT NULL DEFAULT 0
        Internal TINYINT NOT NULL DEFAULT 1
        Enabled TINYINT NOT NULL DEFAULT 0
        UpdatedOn DATETIME NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
        FOREIGN KEY (DeviceID) REFERENCES Device (ID) ON DELETE CASCADE
        FOREIGN KEY (SignalTypeID) REFERENCES SignalType (ID)""",
    "OutputStream": """
        NodeID CHAR(36) NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Acronym VARCHAR(200) NOT NULL
        Name VARCHAR(200) NULL
        Type INT NOT NULL DEFAULT 0
        ConnectionString TEXT NULL
        DataChannel TEXT NULL
        CommandChannel TEXT NULL
        IDCode INT NOT NULL DEFAULT 0
        AutoPublishConfigFrame TINYINT NOT NULL DEFAULT 0
        AutoStartDataChannel TINYINT NOT NULL DEFAULT 1
        NominalFrequency INT NOT NULL DEFAULT 60
        FramesPerSecond INT NOT NULL DEFAULT 30
        LagTime DOUBLE NOT NULL DEFAULT 3.0
        LeadTime DOUBLE NOT NULL DEFAULT 1.0
        UseLocalClockAsRealTime TINYINT NOT NULL DEFAULT 0
        AllowSortsByArrival TINYINT NOT NULL DEFAULT 1
        IgnoreBadTimeStamps TINYINT NOT NULL DEFAULT 0
        TimeResolution INT NOT NULL DEFAULT 330000
        AllowPreemptivePublishing TINYINT NOT NULL DEFAULT 1
        PerformTimeReasonabilityCheck TINYINT NOT NULL DEFAULT 1
        DownsamplingMethod VARCHAR(15) NOT NULL DEFAULT 'LastReceived'
        DataFormat VARCHAR(15) NOT NULL DEFAULT 'FloatingPoint'
        CoordinateFormat VARCHAR(15) NOT NULL DEFAULT 'Polar'
        CurrentScalingValue INT NOT NULL DEFAULT 2423
        VoltageScalingValue INT NOT NULL DEFAULT 2725785
        AnalogScalingValue INT NOT NULL DEFAULT 1373291
        DigitalMaskValue INT NOT NULL DEFAULT -65536
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0
        UNIQUE KEY IX_OutputStream_NodeID_Acronym (NodeID, Acronym)
        FOREIGN KEY (NodeID) REFERENCES Node (ID)""",
    "CustomOutputAdapter": f"""{ADAPTER}
        FOREIGN KEY (NodeID) REFERENCES Node (ID)""",
    "OutputStreamDevice": """
        NodeID CHAR(36) NOT NULL
        AdapterID INT NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        IDCode INT NOT NULL DEFAULT 0
        Acronym VARCHAR(200) NOT NULL
        BpaAcronym VARCHAR(4) NULL
        Name VARCHAR(200) NOT NULL
        PhasorDataFormat VARCHAR(15) NULL
        FrequencyDataFormat VARCHAR(15) NULL
        AnalogDataFormat VARCHAR(15) NULL
        CoordinateFormat VARCHAR(15) NULL
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0
        FOREIGN KEY (NodeID) REFERENCES Node (ID)
        FOREIGN KEY (AdapterID) REFERENCES OutputStream (ID) ON DELETE CASCADE""",
    "OutputStreamDevicePhasor": """
        NodeID CHAR(36) NOT NULL
        OutputStreamDeviceID INT NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Label VARCHAR(200) NOT NULL
        Type CHAR(1) NOT NULL DEFAULT 'V'
        Phase CHAR(1) NOT NULL DEFAULT '+'
        ScalingValue INT NOT NULL DEFAULT 0
        LoadOrder INT NOT NULL DEFAULT 0
        FOREIGN KEY (NodeID) REFERENCES Node (ID)
        FOREIGN KEY (OutputStreamDeviceID) REFERENCES OutputStreamDevice (ID) ON DELETE CASCADE""",
    "OutputStreamDeviceAnalog": """
        NodeID CHAR(36) NOT NULL
        OutputStreamDeviceID INT NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Label VARCHAR(200) NOT NULL
        Type INT NOT NULL DEFAULT 0
        ScalingValue INT NOT NULL DEFAULT 0
        LoadOrder INT NOT NULL DEFAULT 0
        FOREIGN KEY (NodeID) REFERENCES Node (ID)
        FOREIGN KEY (OutputStreamDeviceID) REFERENCES OutputStreamDevice (ID) ON DELETE CASCADE""",
    "OutputStreamDeviceDigital": """
        NodeID CHAR(36) NOT NULL
        OutputStreamDeviceID INT NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Label TEXT NOT NULL
        MaskValue INT NOT NULL DEFAULT 0
        LoadOrder INT NOT NULL DEFAULT 0
        FOREIGN KEY (NodeID) REFERENCES Node (ID)
        FOREIGN KEY (OutputStreamDeviceID) REFERENCES OutputStreamDevice (ID) ON DELETE CASCADE""",
    "OutputStreamMeasurement": """
        NodeID CHAR(36) NOT NULL
        AdapterID INT NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        HistorianID INT NULL
        PointID INT NOT NULL
        SignalReference VARCHAR(200) NOT NULL
        FOREIGN KEY (NodeID) REFERENCES Node (ID)
        FOREIGN KEY (AdapterID) REFERENCES OutputStream (ID) ON DELETE CASCADE
        FOREIGN KEY (PointID) REFERENCES Measurement (PointID) ON DELETE CASCADE""",
}
"""Columns and keys by table, one a line. A table follows those that its keys refer to."""

STREAM_SETTINGS = "addPhaseLabelSuffix=false; replaceWithSpaceChar=_"
"""The ConnectionString of an output stream, as openPDC's Manager writes it. Without it openPDC
sends the channel "VA" as "VA APV"."""

TIME_RESOLUTION = 10_000
"""The TimeResolution of an output stream, in units of 100 ns. openPDC's default is for 30 frames/s:
at 50 it sends fewer frames, stamped ahead of their time."""


def names() -> list[str]:
    """Return the tables' names."""
    return list(TABLES)
