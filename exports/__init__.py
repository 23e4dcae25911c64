"""Files that leave the program: the board pack, tables, and the jobs that make them."""
