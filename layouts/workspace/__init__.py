"""The page of one domain of one workspace: figures, records, live figures."""
