"""The tables that openPDC reads when it starts and this PDC does not.

openPDC ends with "System initialization failed" where one is missing. Names, types and defaults
are openPDC's own; keys to other tables are left out, since nothing here fills these tables.
openPDC fills Statistic, Interconnection, Historian and CustomActionAdapter itself.
"""

from grid.pdc.openpdc.schema import ADAPTER

_UNIQUE_ID = "ID CHAR(36) NOT NULL DEFAULT (UUID()) PRIMARY KEY"

TABLES = {
    "ConfigurationEntity": """
        SourceName VARCHAR(200) NOT NULL
        RuntimeName VARCHAR(200) NOT NULL
        Description TEXT NULL
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0""",
    "DataOperation": """
        NodeID CHAR(36) NULL
        Description TEXT NULL
        AssemblyName TEXT NOT NULL
        TypeName TEXT NOT NULL
        MethodName VARCHAR(200) NOT NULL
        Arguments TEXT NULL
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0""",
    "Runtime": """
        ID INT NOT NULL AUTO_INCREMENT UNIQUE
        SourceID INT NOT NULL
        SourceTable VARCHAR(200) NOT NULL
        PRIMARY KEY (SourceID, SourceTable)""",
    "Statistic": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Source VARCHAR(20) NOT NULL
        SignalIndex INT NOT NULL
        Name VARCHAR(200) NOT NULL
        Description TEXT NULL
        AssemblyName TEXT NOT NULL
        TypeName TEXT NOT NULL
        MethodName VARCHAR(200) NOT NULL
        Arguments TEXT NULL
        Enabled TINYINT NOT NULL DEFAULT 0
        DataType VARCHAR(200) NULL
        DisplayFormat VARCHAR(200) NULL
        IsConnectedState TINYINT NOT NULL DEFAULT 0
        LoadOrder INT NOT NULL DEFAULT 0
        UNIQUE KEY IX_Statistic_Source_SignalIndex (Source, SignalIndex)""",
    "Historian": """
        NodeID CHAR(36) NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Acronym VARCHAR(200) NOT NULL
        Name VARCHAR(200) NULL
        AssemblyName TEXT NULL
        TypeName TEXT NULL
        ConnectionString TEXT NULL
        IsLocal TINYINT NOT NULL DEFAULT 1
        MeasurementReportingInterval INT NOT NULL DEFAULT 100000
        Description TEXT NULL
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0""",
    "Company": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Acronym VARCHAR(200) NOT NULL
        MapAcronym CHAR(10) NOT NULL
        Name VARCHAR(200) NOT NULL
        URL TEXT NULL
        LoadOrder INT NOT NULL DEFAULT 0""",
    "Interconnection": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Acronym VARCHAR(200) NOT NULL
        Name VARCHAR(200) NOT NULL
        LoadOrder INT NULL DEFAULT 0""",
    "ImportedMeasurement": """
        NodeID CHAR(36) NULL
        SourceNodeID CHAR(36) NULL
        SignalID CHAR(36) NULL
        Source VARCHAR(200) NOT NULL
        PointID INT NOT NULL
        PointTag VARCHAR(200) NOT NULL
        AlternateTag VARCHAR(200) NULL
        SignalTypeAcronym VARCHAR(4) NULL
        SignalReference TEXT NOT NULL
        FramesPerSecond INT NULL
        ProtocolAcronym VARCHAR(200) NULL
        ProtocolType VARCHAR(200) NOT NULL DEFAULT 'Frame'
        PhasorID INT NULL
        PhasorType CHAR(1) NULL
        Phase CHAR(1) NULL
        Adder DOUBLE NOT NULL DEFAULT 0.0
        Multiplier DOUBLE NOT NULL DEFAULT 1.0
        CompanyAcronym VARCHAR(200) NULL
        Longitude DECIMAL(9, 6) NULL
        Latitude DECIMAL(9, 6) NULL
        Description TEXT NULL
        Enabled TINYINT NOT NULL DEFAULT 0""",
    "CalculatedMeasurement": """
        NodeID CHAR(36) NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Acronym VARCHAR(200) NOT NULL
        Name VARCHAR(200) NULL
        AssemblyName TEXT NOT NULL
        TypeName TEXT NOT NULL
        ConnectionString TEXT NULL
        ConfigSection VARCHAR(200) NULL
        InputMeasurements TEXT NULL
        OutputMeasurements TEXT NULL
        MinimumMeasurementsToUse INT NOT NULL DEFAULT -1
        FramesPerSecond INT NOT NULL DEFAULT 30
        LagTime DOUBLE NOT NULL DEFAULT 3.0
        LeadTime DOUBLE NOT NULL DEFAULT 1.0
        UseLocalClockAsRealTime TINYINT NOT NULL DEFAULT 0
        AllowSortsByArrival TINYINT NOT NULL DEFAULT 1
        IgnoreBadTimeStamps TINYINT NOT NULL DEFAULT 0
        TimeResolution INT NOT NULL DEFAULT 10000
        AllowPreemptivePublishing TINYINT NOT NULL DEFAULT 1
        PerformTimeReasonabilityCheck TINYINT NOT NULL DEFAULT 1
        DownsamplingMethod VARCHAR(15) NOT NULL DEFAULT 'LastReceived'
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0""",
    "CustomInputAdapter": ADAPTER,
    "CustomActionAdapter": ADAPTER,
    "CustomFilterAdapter": ADAPTER,
    "Alarm": """
        NodeID CHAR(36) NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        TagName VARCHAR(200) NOT NULL
        SignalID CHAR(36) NOT NULL
        AssociatedMeasurementID CHAR(36) NULL
        Description TEXT NULL
        Severity INT NOT NULL
        Operation INT NOT NULL
        SetPoint DOUBLE NULL
        Tolerance DOUBLE NULL
        Delay DOUBLE NULL
        Hysteresis DOUBLE NULL
        LoadOrder INT NOT NULL DEFAULT 0
        Enabled TINYINT NOT NULL DEFAULT 0""",
    "MeasurementGroup": """
        NodeID CHAR(36) NOT NULL
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Name VARCHAR(200) NOT NULL
        Description TEXT NULL
        FilterExpression TEXT NULL""",
    "MeasurementGroupMeasurement": """
        NodeID CHAR(36) NOT NULL
        MeasurementGroupID INT NOT NULL
        SignalID CHAR(36) NOT NULL
        PRIMARY KEY (NodeID, MeasurementGroupID, SignalID)""",
    "Subscriber": """
        NodeID CHAR(36) NOT NULL
        ID CHAR(36) NOT NULL DEFAULT (UUID())
        Acronym VARCHAR(200) NOT NULL
        Name VARCHAR(200) NULL
        SharedSecret VARCHAR(200) NULL
        AuthKey TEXT NULL
        ValidIPAddresses TEXT NULL
        RemoteCertificateFile VARCHAR(500) NULL
        ValidPolicyErrors VARCHAR(200) NULL
        ValidChainFlags VARCHAR(500) NULL
        AccessControlFilter TEXT NULL
        Enabled TINYINT NOT NULL DEFAULT 0
        PRIMARY KEY (NodeID, ID)""",
    "SubscriberMeasurement": """
        NodeID CHAR(36) NOT NULL
        SubscriberID CHAR(36) NOT NULL
        SignalID CHAR(36) NOT NULL
        Allowed TINYINT NOT NULL DEFAULT 0
        PRIMARY KEY (NodeID, SubscriberID, SignalID)""",
    "SubscriberMeasurementGroup": """
        NodeID CHAR(36) NOT NULL
        SubscriberID CHAR(36) NOT NULL
        MeasurementGroupID INT NOT NULL
        Allowed TINYINT NOT NULL DEFAULT 0
        PRIMARY KEY (NodeID, SubscriberID, MeasurementGroupID)""",
    "UserAccount": f"""
        {_UNIQUE_ID}
        Name VARCHAR(200) NOT NULL UNIQUE
        Password VARCHAR(200) NULL
        FirstName VARCHAR(200) NULL
        LastName VARCHAR(200) NULL
        DefaultNodeID CHAR(36) NOT NULL
        Phone VARCHAR(200) NULL
        Email VARCHAR(200) NULL
        LockedOut TINYINT NOT NULL DEFAULT 0
        UseADAuthentication TINYINT NOT NULL DEFAULT 1
        ChangePasswordOn DATETIME NULL
        CreatedOn DATETIME NULL DEFAULT CURRENT_TIMESTAMP""",
    "SecurityGroup": f"""
        {_UNIQUE_ID}
        Name VARCHAR(200) NOT NULL UNIQUE
        Description TEXT NULL""",
    "SecurityGroupUserAccount": """
        SecurityGroupID CHAR(36) NOT NULL
        UserAccountID CHAR(36) NOT NULL""",
    "ApplicationRole": f"""
        {_UNIQUE_ID}
        Name VARCHAR(200) NOT NULL
        Description TEXT NULL
        NodeID CHAR(36) NOT NULL""",
    "ApplicationRoleUserAccount": """
        ApplicationRoleID CHAR(36) NOT NULL
        UserAccountID CHAR(36) NOT NULL""",
    "ApplicationRoleSecurityGroup": """
        ApplicationRoleID CHAR(36) NOT NULL
        SecurityGroupID CHAR(36) NOT NULL""",
    "ErrorLog": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        Source VARCHAR(200) NOT NULL
        Type VARCHAR(200) NULL
        Message TEXT NOT NULL
        Detail TEXT NULL
        CreatedOn DATETIME NULL DEFAULT CURRENT_TIMESTAMP""",
    "AuditLog": """
        ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY
        TableName VARCHAR(200) NOT NULL
        PrimaryKeyColumn VARCHAR(200) NOT NULL
        PrimaryKeyValue TEXT NOT NULL
        ColumnName VARCHAR(200) NOT NULL
        OriginalValue TEXT NULL
        NewValue TEXT NULL
        Deleted TINYINT NOT NULL DEFAULT 0
        UpdatedBy VARCHAR(200) NULL
        UpdatedOn DATETIME NULL DEFAULT CURRENT_TIMESTAMP""",
    "TrackedChange": """
        ID BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY
        TableName VARCHAR(200) NOT NULL
        PrimaryKeyColumn VARCHAR(200) NOT NULL
        PrimaryKeyValue TEXT NULL""",
}
"""Columns and keys by table, one a line, as in schema.py."""
