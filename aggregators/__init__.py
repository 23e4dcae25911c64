"""What the figures mean, how they pool, and how they are read."""
