"""A page of records walks an index; it does not sort everything that fits the filter."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from aggregators import catalogue
from aggregators.chosen.counting import CountingRules
from aggregators.vocabulary.listing import Condition, RecordsRequest
from storage import context, listings
from tests.deep import every
from tests.webworld import make

DORA = catalogue.domain("dora").records
LAST = date(2026, 11, 22)


@pytest.fixture
def plan(database, settings):
    """The plan of a page's query, as it runs: in the workspace's context, with the settings of then."""
    web = make(database, settings)
    viewer, place = web.people["viewer"], web.world.alpha
    scope = listings.RecordsScope(place, date(2025, 11, 23), LAST, CountingRules(), {})

    def explain(asked: RecordsRequest) -> str:
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


@pytest.mark.parametrize("column", every(3, ["completed_at", "key"]))
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
    nodes = above_the_records(plan(RecordsRequest(conditions, ((column, descending),))))
    assert "Sort" not in nodes, nodes


def above_the_records(plan: str) -> list[str]:
    """The nodes from the top down to the scan of the deployments, which an index must order."""
    path: list[tuple[int, str]] = []
    for line in plan.splitlines():
        indent = len(line) - len(line.lstrip())
        path = [(depth, node) for depth, node in path if depth < indent]
        path.append((indent, line.strip().removeprefix("->").strip()))
        if "Index" in line and " on deployment " in line:
            return [node for _, node in path]
    raise AssertionError(plan)


def test_an_order_that_no_index_has_is_sorted(plan):
    assert "Sort" in plan(RecordsRequest((), (("service", True),)))
