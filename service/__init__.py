"""What every long-running program shares: run, log, metrics server, latency, back-off, threads."""

__version__ = "0.2.0"
"""The version of the whole distribution: pyproject.toml and every `--version` read it here.

It stands in the lowest package, so that it can be read by the programs in the image too, which
has the packages but not their installed metadata.
"""
