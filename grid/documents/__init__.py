"""YAML documents that people write, checked as a whole."""
