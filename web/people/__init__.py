"""People on the web: how they come in, and what they do with their own account."""
