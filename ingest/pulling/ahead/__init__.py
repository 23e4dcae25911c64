"""Looks at a source before it is connected: what would be read, what would count, what history costs."""
