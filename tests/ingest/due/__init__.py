"""Tests of marks of snapshot days."""
