"""The `lab` command: its words, and its verbs by what they are for, one a file."""
