"""Waiting of people: the program served, a browser, a crowd."""
