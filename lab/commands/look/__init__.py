"""Verbs that tell of a lab, and change nothing."""
