"""Health of an installation: whatever is wrong, with what to type; for ``doctor`` and ``/readyz``."""
