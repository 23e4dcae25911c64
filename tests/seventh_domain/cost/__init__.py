"""Cost: spending against a budget, by cost centre."""
