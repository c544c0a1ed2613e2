"""What a PMU sees: voltages, currents and frequency as functions of time, and events in them."""
