"""Tests of aggregators/chosen."""
