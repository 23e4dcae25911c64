"""Tests of the digest of the signals."""
