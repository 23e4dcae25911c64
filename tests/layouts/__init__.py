"""The page's pieces, without a browser."""
