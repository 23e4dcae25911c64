"""Tests of aggregators/slos."""
