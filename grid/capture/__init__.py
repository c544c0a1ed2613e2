"""From packet captures to C37.118 frames."""
