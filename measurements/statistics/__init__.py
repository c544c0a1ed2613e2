"""Statistics: pure functions from recorded events and numbers to figures; no clock, no files."""
