"""Certificate health."""
