"""States of a page that come and go: each is looked at while it lasts."""
