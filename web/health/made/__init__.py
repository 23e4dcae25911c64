"""Rights, definitions and roles as migrations and administrators made them, and as they stand."""
