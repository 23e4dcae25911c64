"""Tests of what is computed once."""
