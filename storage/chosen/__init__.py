"""Settings that the organisation and its workspaces have chosen, as they are kept."""
