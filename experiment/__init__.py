"""The pytest plugin: it breaks a lab, measures the recovery and judges it."""
