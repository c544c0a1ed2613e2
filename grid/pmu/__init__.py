"""The PMU simulator: serves C37.118 streams of simulated, recorded and captured PMUs."""
