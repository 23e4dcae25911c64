"""Lists of all that their source has: kept beside the records, and what follows for what they lack."""
