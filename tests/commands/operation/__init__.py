"""Tests of commands/operation."""
