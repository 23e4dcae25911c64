"""The words in which a domain is declared: measures, listings, periods, distributions."""
