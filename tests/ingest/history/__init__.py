"""A true history, and how senders tell it."""
