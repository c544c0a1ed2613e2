"""Nodes as systemd containers on the local Docker engine."""
