"""Choice of what a part's deployments are, and records that another choice had counted."""
