"""Alignment: data frames of many inputs, sorted by time stamp into the rows of one output."""
