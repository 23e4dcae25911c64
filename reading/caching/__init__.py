"""Dashboards and drawings computed once: the cache on disk, the rows in memory, what is made ready."""
