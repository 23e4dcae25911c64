"""Vendor risk."""
