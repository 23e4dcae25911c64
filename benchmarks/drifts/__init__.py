"""Drifts of simulated organisations: how soon the watch and its rivals find them, and what they flag
falsely."""
