"""Help: articles of this product, with the definitions from the code."""
