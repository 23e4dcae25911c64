"""Operational records: what `records import` takes, how it is checked and how it is written."""
