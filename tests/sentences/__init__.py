"""Every sentence of the product against the raw records: what it says must be so."""
