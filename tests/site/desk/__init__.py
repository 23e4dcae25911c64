"""Records looked after in the browser."""
