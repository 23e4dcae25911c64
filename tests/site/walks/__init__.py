"""Walks through the program as somebody who is new to it."""
