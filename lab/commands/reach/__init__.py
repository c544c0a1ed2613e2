"""Verbs that lead into a lab: to its nodes, and to its API."""
