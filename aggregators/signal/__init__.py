"""Signal, not noise: tests of change, the nightly watch, thresholds from one's own history. Pure
numpy."""
