"""The reporting times of a stream, and pacing by the wall clock."""
