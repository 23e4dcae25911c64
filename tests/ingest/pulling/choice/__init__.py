"""Tests of what a deployment is, by what there is of it."""
