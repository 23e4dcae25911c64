"""Tests of web/chosen."""
