"""PostgreSQL: the tables, the isolation, the snapshot job, imports and the demo organisation."""
