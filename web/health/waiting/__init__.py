"""Looks at whoever waits: for a lock that another session holds, and for a connection of a full pool."""
