"""Meaning of the figures, how they pool, and how they are read."""
