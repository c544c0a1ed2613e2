"""openPDC's MySQL tables: schema, connection strings, reading and writing a topology."""
