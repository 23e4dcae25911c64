"""A page of records walks an index; it does not sort everything that fits the filter."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from aggregators.domains import DOMAINS
from aggregators.listing import Condition, Request
from storage import context, listings
from tests.webworld import make

DORA = next(d.records for d in DOMAINS if d.key == "dora")
LAST = date(2026, 11, 22)


@pytest.fixture
def plan(database, settings):
    """The plan of a page's query, as it runs: in the workspace's context, with the settings of then."""
    web = make(database, settings)
    viewer, place = web.people["viewer"], web.world.alpha
    scope = listings.Scope(place, date(2025, 11, 23), LAST, "UTC", (), {})

    def explain(asked: Request) -> str:
        plans = []
        with context.in_workspace(database.web, viewer, place) as connection:

            def also(conn, cursor, statement, parameters, *_):
                if "offset" in statement and not statement.startswith("explain"):
                    cursor.execute(f"explain (costs off) {statement}", parameters)
                    plans.extend(row[0] for row in cursor.fetchall())

            event.listen(connection, "before_cursor_execute", also)
            listings.page(connection, "dora", DORA, scope, asked)
        return "\n".join(plans)

    return explain


@pytest.mark.parametrize("column", ["completed_at", "key"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(
    "conditions",
    [
        (),
        (Condition("outcome", "equals", "failed", ""),),
        (Condition("service", "contains", "api", ""),),
    ],
)
def test_an_indexed_order_needs_no_sort_whatever_the_filter(plan, column, descending, conditions):
    said = plan(Request(conditions, ((column, descending),)))
    nodes = [line.strip().removeprefix("->").strip() for line in said.splitlines()]
    assert any("Index" in n and "on deployment d" in n for n in nodes), said
    assert "Sort" not in nodes, said


def test_an_order_that_no_index_has_is_sorted(plan):
    assert "Sort" in plan(Request((), (("service", True),)))
