"""Sentences of what drifts."""
