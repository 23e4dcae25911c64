"""Digests of the signals: who gets them where, and the messages that wait to go."""
