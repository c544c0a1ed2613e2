"""What the codec, the PMU simulator and the PDC reach, measured; `make bench-grid`."""
