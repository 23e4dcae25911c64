"""Tests of the frameworks that can be set up."""
