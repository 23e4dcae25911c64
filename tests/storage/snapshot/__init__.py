"""Tests of storage/snapshot."""
