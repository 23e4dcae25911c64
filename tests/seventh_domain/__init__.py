"""Domain that exists only in the tests, and an installation of the program with it beside the others."""
