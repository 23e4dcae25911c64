"""Bounds on what one person may hold of the process: open downloads, memory, time."""
