"""Other ways to the same figures over the same daily rows, without row-level security."""
