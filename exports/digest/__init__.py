"""Digest of the signals: what is new, told by mail, Slack, Microsoft Teams or a signed webhook."""
