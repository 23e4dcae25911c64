"""Rules over days: what holds from which day on."""
