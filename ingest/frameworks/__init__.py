"""Frameworks that can be set up: their controls by identifier, with short titles in own words."""
