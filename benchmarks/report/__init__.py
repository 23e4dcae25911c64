"""The table of a run, and what is kept of it."""
