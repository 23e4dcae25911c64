"""Tests of a database on several nodes."""
