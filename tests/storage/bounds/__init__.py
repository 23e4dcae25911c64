"""Bounds on what requests may hold of the database."""
