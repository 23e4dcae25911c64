"""The prepared statements of the job: names that follow their text, budgets as they are published."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from storage.snapshot import statements
from storage.snapshot.sql import PreparedStatement
from tests import budget
from tests.deep import every
from tests.generated import LAST
from tests.storage.snapshot.stored import alone, rows, write

BUDGETS = [
    (target, window, good, total)
    for target in (90.0, 99.9, 100.0)
    for window in (1, 30)
    for good, total in ((0, 0), (1000, 1000), (999, 1000), (900, 1000), (0, 10))
]


@pytest.mark.parametrize(("target", "window", "good", "total"), every(3, BUDGETS, several=True))
def test_budgets_are_those_of_the_published_arithmetic(
    server, settings, target, window, good, total
):
    world, made = alone(
        server,
        settings,
        objective=[{"key": "o", "target_percent": target, "window_days": window}],
        objective_day=[
            {"key": "o", "day": LAST - timedelta(days=1), "good": 2000.0, "total": 2000.0},
            {"key": "o", "day": LAST, "good": float(good), "total": float(total)},
        ],
    )
    write(world, made, (59, 59, False))
    found = rows(server, made)["workspace_usage_snapshot"][-1]
    before = 2000 if window > 1 else 0
    bad, fraction = total - good, target / 100
    remaining = budget.budget_remaining(bad, total + before, fraction)
    burn = budget.burn_rate(bad, total, fraction)
    left = budget.seconds_left(remaining, burn, window)
    for name, value in (
        ("budget_remaining", remaining),
        ("fastest_burn", burn),
        ("budget_seconds_left", left),
    ):
        expected = None if np.isnan(value) else pytest.approx(float(value), rel=1e-9, abs=1e-12)
        assert found[name] == expected, name


def test_a_statement_has_another_name_as_soon_as_it_differs():
    names = [s.name for s in (*statements.STAGE, *statements.PUBLISH)]
    assert len(set(names)) == len(names)
    assert PreparedStatement("select 1").name != PreparedStatement("select 2").name
    assert PreparedStatement("select :w, :now, x::date").prepare.endswith(
        "as select $1, null, x::date"
    )
