"""Memory that input of others may take, however large it is."""
