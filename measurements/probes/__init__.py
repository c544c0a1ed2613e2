"""Probes: threads that watch a lab from outside and write down what they see, as they see it."""
