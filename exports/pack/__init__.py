"""The pages of the board pack, one module a kind of page."""
