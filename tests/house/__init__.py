"""House rules of the whole project, read from its syntax trees."""
