"""Sums over what the workspace page of the domain lists, against its figures."""

import math
import statistics
from datetime import UTC, datetime, timedelta

from tests.aggregators.evidence import rate


def adds_up(rows, page):
    """Fails unless the rows of a workspace's page add up to its figures."""
    since = datetime.combine(page.period.start, datetime.min.time(), UTC)
    until = datetime.combine(page.period.end, datetime.min.time(), UTC) + timedelta(days=1)

    def within(when):
        return when is not None and since <= when < until

    still = [r for r in rows if r["status"] == "open"]
    if page.figures["open"].has_data:
        assert page.figures["open"].value == len(still)
    assert all((r["age"] is None) == (r["status"] == "resolved") for r in rows)
    if page.figures["open"].evidence.days_seen < page.period.days:
        # Days without a snapshot are no part of a flow; their records are listed all the same.
        assert (page.figures["opened"].value or 0) <= sum(within(r["opened_at"]) for r in rows)
        return
    if not page.figures["opened"].has_data:
        assert rows == []
        return
    assert page.figures["opened"].value == sum(within(r["opened_at"]) for r in rows)
    resolved = [r["time_to_resolve"] for r in rows if within(r["resolved_at"])]
    assert page.figures["resolved"].value == len(resolved)
    if resolved:
        assert math.isclose(page.figures["mttr"].value, statistics.fmean(resolved))
    seconds = [r["time_to_acknowledge"] for r in rows if within(r["acknowledged_at"])]
    if seconds:
        assert math.isclose(page.figures["mtta"].value, statistics.fmean(seconds))
    due = [r for r in rows if within(r["postmortem_due"])]
    if due:
        published = sum(r["postmortem"] == "published" for r in due)
        assert rate(page, "postmortem_coverage") == (published, len(due))
