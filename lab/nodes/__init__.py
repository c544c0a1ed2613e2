"""A node, its one way to run commands, its mark, and the lab's files on this machine."""
