"""The report of a run: one HTML file that needs nothing but itself."""

from measurements.report.page import render

__all__ = ["render"]
