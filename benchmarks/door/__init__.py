"""Cost of what comes in."""
