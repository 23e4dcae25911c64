"""Parts of the source GitLab."""
