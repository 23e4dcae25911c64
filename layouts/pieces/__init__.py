"""Pieces of every page: HTML as text, small parts of a figure, lines and charts."""
