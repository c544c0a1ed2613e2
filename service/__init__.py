"""What every long-running program shares: run, log, metrics server, latency, back-off, threads."""
