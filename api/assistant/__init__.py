"""The Model Context Protocol at ``/mcp``: an assistant asks what the person of its token may see."""
