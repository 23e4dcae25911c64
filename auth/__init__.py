"""Accounts, sessions and tokens: the identity of a caller, and its proof."""
