"""Checked YAML documents: parsing, fields, channels, and their one error."""
