"""Figures of the platform in the words of other programs."""
