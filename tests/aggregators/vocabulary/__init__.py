"""Tests of aggregators/vocabulary."""
