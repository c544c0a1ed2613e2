"""The machine that the kit runs on: its packages and its Docker engine."""
