"""The watch as it is read: dispersions, verdicts on changes, open signals."""
