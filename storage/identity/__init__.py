"""Credentials that stand for a person, and how they are proved to the database."""
