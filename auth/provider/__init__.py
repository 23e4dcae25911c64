"""People whom an identity provider vouches for."""
