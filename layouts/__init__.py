"""Figures to components: pure functions, no database, no web request."""
