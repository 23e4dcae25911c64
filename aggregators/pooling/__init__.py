"""Facts to figures: pooling over days and workspaces, ranking, contributions."""
