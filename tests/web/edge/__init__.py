"""Whole-site tests of the web edge: who may what, free text, other sites."""
