"""Verbs that make a lab, change it, and take it away."""
