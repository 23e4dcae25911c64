"""Bounds on what work may hold: time of the database, and turns at dear work."""
