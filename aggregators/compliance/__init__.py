"""Compliance per framework."""
