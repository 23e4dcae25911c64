"""Formats, one by one: what they read, what they leave out, and the law of the fold."""
