"""Tests of ``ingest.pulling`` and of the sources that it pulls."""
