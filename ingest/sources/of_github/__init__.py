"""Parts of the source GitHub."""
