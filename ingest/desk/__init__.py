"""The desk: what people of a workspace say of its records: meanings of words, corrections."""
