"""Pages of the sources that are pulled."""
