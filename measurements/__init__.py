"""What a run recorded, and what follows from it: history, probes, intervals and the report."""
