"""What the programs of this package reach, measured."""
