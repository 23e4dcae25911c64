"""The tests mirror the tree; ``site`` drives the real program in a browser."""
