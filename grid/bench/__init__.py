"""Benchmarks of the synchrophasor software."""
