"""Tests of statements as they are kept."""
