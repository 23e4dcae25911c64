"""What leaves the program as a file: the board pack, tables, and the jobs that make them."""
