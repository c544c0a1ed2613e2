"""Chaos for the kit itself: random commands, losses and kills; run by `make chaos`."""
