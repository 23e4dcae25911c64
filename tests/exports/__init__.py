"""Tests of what leaves the program as a file."""
