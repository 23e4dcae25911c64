"""Tests of aggregators/records."""
