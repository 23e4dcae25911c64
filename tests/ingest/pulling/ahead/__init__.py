"""Tests of the looks ahead."""
