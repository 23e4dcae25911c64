"""A cache that was damaged on the disk is thrown away, and keeps again."""

from __future__ import annotations

import os
from pathlib import Path

from reading.caching.dashboard_cache import DashboardCache


def harmed(folder: Path) -> None:
    """Fills every file of a cache with what is none of ours."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(os.urandom(max(4096, path.stat().st_size)))


def test_a_cache_that_was_filled_with_garbage_is_begun_anew_and_keeps_again(tmp_path, caplog):
    made = []

    def asked(cache: DashboardCache) -> int:
        return cache.make_once("dashboard:a", lambda: made.append(1) or len(made), lambda _: 600.0)

    first, other = DashboardCache(tmp_path), DashboardCache(tmp_path)
    first.put("dashboard:big", "x" * 100_000, 600.0)
    assert [asked(first), asked(other)] == [1, 1]
    harmed(tmp_path)
    for cache in (first, other, first, other):
        asked(cache)
    caplog.clear()
    kept = asked(first)
    assert [asked(other), asked(DashboardCache(tmp_path))] == [kept, kept]
    assert first.find_kept("dashboard:big") is None
    assert caplog.records == []


def test_a_value_that_was_damaged_is_computed_again(tmp_path):
    cache = DashboardCache(tmp_path)
    cache.put("dashboard:big", os.urandom(100_000), 600.0)
    (value,) = tmp_path.rglob("*.val")
    value.write_bytes(b"none of ours")
    assert cache.make_once("dashboard:big", lambda: "again", lambda _: 600.0) == "again"
    assert DashboardCache(tmp_path).find_kept("dashboard:big") == "again"
