"""What leaves a PDC: the C37.118 output stream, and messages for an MQTT broker."""
