"""Tests of aggregators/pooling."""
