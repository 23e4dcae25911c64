"""Snapshots for the executive view: each workspace in its own context, the loop over them in PostgreSQL."""
