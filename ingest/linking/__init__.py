"""Records that are part of others: merged by a sender or by hand, or linked by a rule of the workspace."""
