"""What every long-running program shares: run, log, metrics server, latency, back-off, threads."""

__version__ = "0.4.0"
"""The version of the whole distribution: pyproject.toml and every `--version` read it here.

It stands in the lowest package, so that the programs in the image can tell it too: the image has
the packages, but not the metadata of an installation.
"""
