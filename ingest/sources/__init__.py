"""Records that are asked for where they are: one module a source."""
