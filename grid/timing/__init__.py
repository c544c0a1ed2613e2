"""Reporting times of a stream, and waiting for them by the wall clock."""
