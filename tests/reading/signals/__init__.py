"""Tests of the nightly watch on stored snapshots."""
