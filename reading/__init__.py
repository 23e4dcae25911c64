"""Storage to figures: the reads of a dashboard, a workspace page and its records, and their caches."""
