"""The pytest plugin: where a lab and its measurements meet, and cases break one and judge."""
