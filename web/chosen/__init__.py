"""Page of what the organisation and its workspaces choose: targets, and how they count."""
