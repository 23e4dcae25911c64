"""Operational records: how they are read, checked and written."""
