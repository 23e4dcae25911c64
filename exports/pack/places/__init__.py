"""The right of a domain's page: every workspace on one axis, with what is known of it."""
