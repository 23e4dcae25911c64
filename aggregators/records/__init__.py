"""Vocabulary in which a domain declares its records: tables, kinds to import, how a demo makes them up."""
