"""Bounds on what requests may hold: time of the database, and turns at dear work."""
