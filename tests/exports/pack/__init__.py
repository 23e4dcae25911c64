"""Tests of the board pack's parts."""
