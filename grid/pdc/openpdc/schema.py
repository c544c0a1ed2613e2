"""The tables of openPDC's configuration database that this PDC uses.

Table and column names are openPDC's own (Source/Data/MySQL/openPDC.sql of
GridProtectionAlliance/openPDC), so are the rows of Protocol and SignalType. Columns that
nothing here reads are left out, and so are the triggers, which need rights that a
database user should not have.
"""

TABLES = (
    """CREATE TABLE IF NOT EXISTS Protocol (
        ID INT NOT NULL PRIMARY KEY,
        Acronym VARCHAR(200) NOT NULL,
        Name VARCHAR(200) NOT NULL,
        Type VARCHAR(200) NOT NULL DEFAULT 'Frame')""",
    """CREATE TABLE IF NOT EXISTS SignalType (
        ID INT NOT NULL PRIMARY KEY,
        Name VARCHAR(200) NOT NULL,
        Acronym VARCHAR(4) NOT NULL,
        Suffix VARCHAR(2) NOT NULL,
        Source VARCHAR(10) NOT NULL,
        EngineeringUnits VARCHAR(10) NULL)""",
    """CREATE TABLE IF NOT EXISTS Node (
        ID CHAR(36) NOT NULL PRIMARY KEY,
        Name VARCHAR(200) NOT NULL UNIQUE,
        Description TEXT NULL,
        Master TINYINT NOT NULL DEFAULT 0,
        Enabled TINYINT NOT NULL DEFAULT 0,
        UpdatedOn DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)""",
    """CREATE TABLE IF NOT EXISTS Device (
        NodeID CHAR(36) NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        ParentID INT NULL,
        UniqueID CHAR(36) NOT NULL UNIQUE,
        Acronym VARCHAR(200) NOT NULL,
        Name VARCHAR(200) NULL,
        IsConcentrator TINYINT NOT NULL DEFAULT 0,
        AccessID INT NOT NULL DEFAULT 0,
        ProtocolID INT NULL,
        ConnectionString TEXT NULL,
        FramesPerSecond INT NULL DEFAULT 30,
        DataLossInterval DOUBLE NOT NULL DEFAULT 5,
        DelayedConnectionInterval DOUBLE NOT NULL DEFAULT 5,
        LoadOrder INT NOT NULL DEFAULT 0,
        Enabled TINYINT NOT NULL DEFAULT 0,
        UNIQUE KEY IX_Device_NodeID_Acronym (NodeID, Acronym),
        FOREIGN KEY (NodeID) REFERENCES Node (ID),
        FOREIGN KEY (ParentID) REFERENCES Device (ID) ON DELETE CASCADE,
        FOREIGN KEY (ProtocolID) REFERENCES Protocol (ID))""",
    """CREATE TABLE IF NOT EXISTS Phasor (
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        DeviceID INT NOT NULL,
        Label VARCHAR(200) NOT NULL,
        Type CHAR(1) NOT NULL DEFAULT 'V',
        Phase CHAR(1) NOT NULL DEFAULT '+',
        SourceIndex INT NOT NULL DEFAULT 0,
        FOREIGN KEY (DeviceID) REFERENCES Device (ID) ON DELETE CASCADE)""",
    """CREATE TABLE IF NOT EXISTS Measurement (
        PointID INT NOT NULL AUTO_INCREMENT UNIQUE,
        SignalID CHAR(36) NOT NULL PRIMARY KEY,
        DeviceID INT NULL,
        PointTag VARCHAR(200) NOT NULL,
        SignalTypeID INT NOT NULL,
        PhasorSourceIndex INT NULL,
        SignalReference VARCHAR(200) NOT NULL,
        Adder DOUBLE NOT NULL DEFAULT 0.0,
        Multiplier DOUBLE NOT NULL DEFAULT 1.0,
        Enabled TINYINT NOT NULL DEFAULT 0,
        FOREIGN KEY (DeviceID) REFERENCES Device (ID) ON DELETE CASCADE,
        FOREIGN KEY (SignalTypeID) REFERENCES SignalType (ID))""",
    """CREATE TABLE IF NOT EXISTS OutputStream (
        NodeID CHAR(36) NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        Acronym VARCHAR(200) NOT NULL,
        Name VARCHAR(200) NULL,
        Type INT NOT NULL DEFAULT 0,
        DataChannel TEXT NULL,
        CommandChannel TEXT NULL,
        IDCode INT NOT NULL DEFAULT 0,
        NominalFrequency INT NOT NULL DEFAULT 60,
        FramesPerSecond INT NOT NULL DEFAULT 30,
        LagTime DOUBLE NOT NULL DEFAULT 3.0,
        LeadTime DOUBLE NOT NULL DEFAULT 1.0,
        UseLocalClockAsRealTime TINYINT NOT NULL DEFAULT 0,
        AllowSortsByArrival TINYINT NOT NULL DEFAULT 1,
        IgnoreBadTimeStamps TINYINT NOT NULL DEFAULT 0,
        AllowPreemptivePublishing TINYINT NOT NULL DEFAULT 1,
        DownsamplingMethod VARCHAR(15) NOT NULL DEFAULT 'LastReceived',
        DataFormat VARCHAR(15) NOT NULL DEFAULT 'FloatingPoint',
        CoordinateFormat VARCHAR(15) NOT NULL DEFAULT 'Polar',
        Enabled TINYINT NOT NULL DEFAULT 0,
        UNIQUE KEY IX_OutputStream_NodeID_Acronym (NodeID, Acronym),
        FOREIGN KEY (NodeID) REFERENCES Node (ID))""",
    """CREATE TABLE IF NOT EXISTS CustomOutputAdapter (
        NodeID CHAR(36) NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        AdapterName VARCHAR(200) NOT NULL,
        AssemblyName TEXT NOT NULL,
        TypeName TEXT NOT NULL,
        ConnectionString TEXT NULL,
        LoadOrder INT NOT NULL DEFAULT 0,
        Enabled TINYINT NOT NULL DEFAULT 0,
        FOREIGN KEY (NodeID) REFERENCES Node (ID))""",
    """CREATE TABLE IF NOT EXISTS OutputStreamDevice (
        NodeID CHAR(36) NOT NULL,
        AdapterID INT NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        IDCode INT NOT NULL DEFAULT 0,
        Acronym VARCHAR(200) NOT NULL,
        Name VARCHAR(200) NOT NULL,
        LoadOrder INT NOT NULL DEFAULT 0,
        Enabled TINYINT NOT NULL DEFAULT 0,
        FOREIGN KEY (NodeID) REFERENCES Node (ID),
        FOREIGN KEY (AdapterID) REFERENCES OutputStream (ID) ON DELETE CASCADE)""",
    """CREATE TABLE IF NOT EXISTS OutputStreamDevicePhasor (
        NodeID CHAR(36) NOT NULL,
        OutputStreamDeviceID INT NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        Label VARCHAR(200) NOT NULL,
        Type CHAR(1) NOT NULL DEFAULT 'V',
        Phase CHAR(1) NOT NULL DEFAULT '+',
        LoadOrder INT NOT NULL DEFAULT 0,
        FOREIGN KEY (NodeID) REFERENCES Node (ID),
        FOREIGN KEY (OutputStreamDeviceID) REFERENCES OutputStreamDevice (ID)
            ON DELETE CASCADE)""",
    """CREATE TABLE IF NOT EXISTS OutputStreamDeviceAnalog (
        NodeID CHAR(36) NOT NULL,
        OutputStreamDeviceID INT NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        Label VARCHAR(16) NOT NULL,
        Type INT NOT NULL DEFAULT 0,
        LoadOrder INT NOT NULL DEFAULT 0,
        FOREIGN KEY (NodeID) REFERENCES Node (ID),
        FOREIGN KEY (OutputStreamDeviceID) REFERENCES OutputStreamDevice (ID)
            ON DELETE CASCADE)""",
    """CREATE TABLE IF NOT EXISTS OutputStreamDeviceDigital (
        NodeID CHAR(36) NOT NULL,
        OutputStreamDeviceID INT NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        Label TEXT NOT NULL,
        LoadOrder INT NOT NULL DEFAULT 0,
        FOREIGN KEY (NodeID) REFERENCES Node (ID),
        FOREIGN KEY (OutputStreamDeviceID) REFERENCES OutputStreamDevice (ID)
            ON DELETE CASCADE)""",
    """CREATE TABLE IF NOT EXISTS OutputStreamMeasurement (
        NodeID CHAR(36) NOT NULL,
        AdapterID INT NOT NULL,
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        PointID INT NOT NULL,
        SignalReference VARCHAR(200) NOT NULL,
        FOREIGN KEY (NodeID) REFERENCES Node (ID),
        FOREIGN KEY (AdapterID) REFERENCES OutputStream (ID) ON DELETE CASCADE,
        FOREIGN KEY (PointID) REFERENCES Measurement (PointID) ON DELETE CASCADE)""",
)

ADDED = (
    ("OutputStream", "DataChannel", "TEXT NULL"),
    ("OutputStream", "LeadTime", "DOUBLE NOT NULL DEFAULT 1.0"),
    ("OutputStream", "UseLocalClockAsRealTime", "TINYINT NOT NULL DEFAULT 0"),
    ("OutputStream", "AllowSortsByArrival", "TINYINT NOT NULL DEFAULT 1"),
    ("OutputStream", "IgnoreBadTimeStamps", "TINYINT NOT NULL DEFAULT 1"),
    ("OutputStream", "DownsamplingMethod", "VARCHAR(15) NOT NULL DEFAULT 'LastReceived'"),
)
"""Table, column and definition of columns that tables of an earlier version lack. (Their
streams used all time stamps, so IgnoreBadTimeStamps is 1 there.)"""


def names() -> list[str]:
    """Return the tables' names."""
    return [statement.split()[5] for statement in TABLES]


PROTOCOLS = ((1, "IeeeC37_118V1", "IEEE C37.118-2005"), (2, "IeeeC37_118V2", "IEEE C37.118.2-2011"))
"""ID, Acronym, Name."""

SIGNAL_TYPES = (
    (1, "Current Magnitude", "IPHM", "PM", "Phasor", "Amps"),
    (2, "Current Phase Angle", "IPHA", "PA", "Phasor", "Degrees"),
    (3, "Voltage Magnitude", "VPHM", "PM", "Phasor", "Volts"),
    (4, "Voltage Phase Angle", "VPHA", "PA", "Phasor", "Degrees"),
    (5, "Frequency", "FREQ", "FQ", "PMU", "Hz"),
    (6, "Frequency Delta (dF/dt)", "DFDT", "DF", "PMU", ""),
    (7, "Analog Value", "ALOG", "AV", "PMU", ""),
    (8, "Status Flags", "FLAG", "SF", "PMU", ""),
    (9, "Digital Value", "DIGI", "DV", "PMU", ""),
)
"""ID, Name, Acronym, Suffix, Source, EngineeringUnits."""
