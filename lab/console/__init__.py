"""What the user sees: errors and progress."""
