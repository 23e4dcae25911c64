"""Watch over the series of a whole scope: what all workspaces of a platform admin do together."""
