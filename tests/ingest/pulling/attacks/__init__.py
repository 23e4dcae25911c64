"""Senders that lie, by mistake or on purpose."""
