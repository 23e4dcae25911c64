"""Tests of ``scheduling``."""
