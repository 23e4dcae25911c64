"""Figures, records and definitions as JSON: the same for programs over HTTP and for assistants."""
