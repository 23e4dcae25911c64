"""Tests of storage/backup."""
