"""Commands about accounts, what they come in with, and the key behind it."""
