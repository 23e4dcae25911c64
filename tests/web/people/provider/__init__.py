"""Tests of sign-in with identity providers."""
