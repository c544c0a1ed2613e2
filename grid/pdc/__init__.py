"""The phasor data concentrator: aligns C37.118 streams and sends them on as one stream."""
