"""Presets as values that are made ready of one workspace and read of a thousand at once. Pure numpy."""
