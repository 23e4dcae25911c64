"""Tests of the page's scripts; `node --test` runs those in JavaScript."""
