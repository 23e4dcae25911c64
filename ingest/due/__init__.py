"""Snapshot days that are due again because records have changed: marked with the change, made again."""
