"""Tests of web/health."""
