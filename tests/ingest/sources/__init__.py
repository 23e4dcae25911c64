"""Tests of ingest/sources."""
