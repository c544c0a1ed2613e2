"""What every long-running program of the project shares: run, log, metrics, latency."""
