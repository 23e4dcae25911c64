"""Tests of ``web.platform`` and ``web.first_run``."""
