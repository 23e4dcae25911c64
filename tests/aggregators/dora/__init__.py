"""Tests of the domain's folder."""
