"""Providers of nodes. Each has the interface of lab.providers.provider.Provider."""
