"""Providers of nodes: the interface, the registry, and a room for each provider."""
