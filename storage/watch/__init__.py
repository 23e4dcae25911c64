"""Tables of the watch, and what reads and writes them."""
