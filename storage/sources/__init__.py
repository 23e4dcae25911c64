"""Sources that are pulled: what they are, where they stand, and what became of their runs."""
