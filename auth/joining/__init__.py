"""Ways into a workspace for people who are not there yet."""
