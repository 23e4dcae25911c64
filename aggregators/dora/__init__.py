"""Delivery: the four DORA metrics."""
