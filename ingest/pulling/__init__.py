"""The frame in which sources are pulled: one shape for all, one client, one runner. The sources themselves
are a file each in ``ingest.sources``."""
