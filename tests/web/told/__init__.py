"""Texts of pages and documents that must stay true."""
