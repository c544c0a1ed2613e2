"""The product's suites in an installed kit; a checkout has them in tests/."""
