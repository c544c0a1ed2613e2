"""Damaged frames for the C37.118 decoders; run by `make fuzz`."""
