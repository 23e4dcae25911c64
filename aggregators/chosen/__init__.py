"""Settings that the organisation and its workspaces choose: which there are, and which holds on a day."""
