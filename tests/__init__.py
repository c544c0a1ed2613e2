"""The product's suites, in failover/, and beside them the tests of the kit itself."""
