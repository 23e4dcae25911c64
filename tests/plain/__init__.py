"""Slow, obvious computations over raw records, to compare the product with."""
