"""Shell of every page: organisation, workspaces, the pages that the reader may open."""
