"""Faults: one file for each, and one list of them; what applies, verifies and heals them."""
