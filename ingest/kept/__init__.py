"""Statements as PostgreSQL keeps them: added once, read again, looked after."""
