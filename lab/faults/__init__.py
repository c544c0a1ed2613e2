"""Faults: what the kit breaks on purpose, and how it is certain to be whole again."""
