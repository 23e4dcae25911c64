"""Who is asking, and how they proved it."""
