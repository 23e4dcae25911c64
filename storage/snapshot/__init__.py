"""The end-of-day job: records to snapshot rows."""
