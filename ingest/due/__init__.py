"""Snapshot days that changed records have touched: which, and the note that they are to be made again."""
