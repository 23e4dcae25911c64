"""Sums over what the workspace page of the domain lists, against its figures."""

import math
from collections import Counter

import pytest

from tests.aggregators.evidence import rate


def adds_up(rows, page):
    """Fails unless the rows of a workspace's page add up to its figures."""
    states = Counter(r["state"] for r in rows)
    if page.figures["objectives_in_budget"].has_data:
        known = states["in budget"] + states["exhausted"]
        assert rate(page, "objectives_in_budget") == (states["in budget"], known)
    if page.figures["no_traffic"].has_data:
        assert page.figures["no_traffic"].value == states["no traffic"]
    assert all(isinstance(r["burn_1h_limit"], float) for r in rows)
    assert all(r["burn_1h_limit"] == pytest.approx(14.4 * r["window_days"] / 30) for r in rows)
    burns = [r["burn"] for r in rows if r["burn"] is not None]
    if page.figures["fastest_burn"].value is not None:
        assert math.isclose(page.figures["fastest_burn"].value, max(burns), rel_tol=1e-9)
    lowest = page.figures["budget_remaining"]
    if lowest.value is not None:
        left = {r["key"]: r["remaining"] for r in rows if r["remaining"] is not None}
        assert math.isclose(lowest.value, min(left.values()), abs_tol=1e-9)
        assert math.isclose(left[lowest.evidence.name], lowest.value, abs_tol=1e-9)
