"""Sums over what the workspace page of the domain lists, against its figures."""

from collections import Counter


def adds_up(rows, page):
    """Fails unless the rows of a workspace's page add up to its figures."""
    if not page.figures["certificates"].has_data:
        assert rows == []
        return
    states = Counter(r["status"] for r in rows)
    for days in (7, 30, 90):
        soon = [r for r in rows if r["status"] == "expiring" and r["time_left"] <= days * 86400]
        assert page.figures[f"within_{days}"].value == len(soon)
    assert page.figures["expired"].value == states["expired"]
    assert page.figures["revoked"].value == states["revoked"]
    assert page.figures["unreadable"].value == states["unreadable"]
