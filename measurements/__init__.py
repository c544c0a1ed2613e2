"""Measuring: events are recorded to a history, figures follow from it, a report shows them."""
