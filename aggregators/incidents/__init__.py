"""Incidents of every cause."""
