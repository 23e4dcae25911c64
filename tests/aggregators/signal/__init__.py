"""Tests of the tests of change, and of the watch."""
