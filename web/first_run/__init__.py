"""The first day of an installation: from the first account to the first figures."""
