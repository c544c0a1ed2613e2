"""The `lab` command: one verb a file."""
