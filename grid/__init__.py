"""Synchrophasor software: IEEE C37.118.2 frames, a PMU simulator and a phasor data concentrator."""
