"""What the programs reach, measured; run by `make bench-...`."""
