"""Scenarios: which PMUs there are and what happens to them; the documents that say so."""
