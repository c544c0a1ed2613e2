"""The pytest plugin: where the lab and its measurements meet."""
