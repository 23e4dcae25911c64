"""The real program, started as a person starts it, driven in a real browser."""
