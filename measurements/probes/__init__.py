"""Probes: threads that watch a lab from outside the cluster and record what they see."""
