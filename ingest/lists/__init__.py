"""Lists of all records of their source: what they lack is gone."""
