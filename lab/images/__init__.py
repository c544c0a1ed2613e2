"""Container images, made from Debian packages and Go modules, or pulled from a registry."""
