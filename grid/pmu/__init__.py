"""A PMU simulator: one stream of plausible phasors on TCP."""
