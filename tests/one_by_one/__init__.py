"""The end-of-day job in pandas, a day at a time: slow and obvious, what the set-wise one must equal."""
