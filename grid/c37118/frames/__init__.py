"""The frames of C37.118: one module a frame or part of a frame, bytes to objects and back."""
