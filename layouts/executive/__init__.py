"""The executive page: answers, tiles, and the domain that is open, workspace by workspace."""
