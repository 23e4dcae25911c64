"""Results of controls over their assets, against a slow and obvious computation over random histories."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from aggregators.chosen.changes import Steps
from aggregators.compliance.records import RESULTS
from aggregators.compliance.tables import asset_absence, asset_retirement, control_result
from storage.context import job_in
from storage.tables import workspace
from tests.deep import seeds
from tests.plain.control_rules import GRAVEST_FIRST, TICK, worst_results

Row = dict[str, Any]
START = datetime(2026, 1, 1, tzinfo=UTC)


def history(rng: random.Random, assets: Sequence[str]) -> tuple[list[Row], list[Row], list[Row]]:
    """Results, retirements and absences from lists, with gaps about as long as an asset may go unseen."""

    def day() -> datetime:
        return START + timedelta(days=rng.choice([*range(0, 400, 10), *range(89, 93), 180, 181]))

    results = {}
    for _ in range(rng.randint(1, 14)):
        row = {
            "framework": rng.choice(["F", "G"]),
            "control": rng.choice(["c1", "c2"]),
            "asset": rng.choice(assets),
            "assessed_at": day(),
            "result": rng.choice(GRAVEST_FIRST),
            "valid_until": None,
        }
        if row["result"] == "compliant" and rng.random() < 0.6:
            row["valid_until"] = row["assessed_at"] + timedelta(
                days=rng.choice([0, 30, 90, 91, 250])
            )
        results[row["framework"], row["control"], row["asset"], row["assessed_at"]] = row
    retired = {
        (asset, framework): {"asset": asset, "framework": framework, "retired_at": day()}
        for asset in assets
        for framework in ("", "G")
        if asset and rng.random() < 0.2
    }
    absent = {
        (asset, framework, when): {"asset": asset, "framework": framework, "retired_at": when}
        for asset in assets
        for framework in ("F", "G")
        for when in (day(), day())
        if asset and rng.random() < 0.15
    }
    return list(results.values()), list(retired.values()), list(absent.values())


def slow(
    results: list[Row], retired: list[Row], when: datetime, unseen: Steps
) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By control: its result, end of evidence, assets, assets like it, and last assessment."""
    told = ("result", "valid_until", "assets", "assets_like_it", "last_assessed_at")
    return {
        (r["framework"], r["control"]): tuple(r[name] for name in told)
        for r in worst_results(
            results, retired, when, lambda at: timedelta(days=unseen.on(at.date()))
        )
    }


def fast(rows: list[Any], when: datetime) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The program's rows that stand at an instant."""
    standing = [
        r for r in rows if r.assessed_at < when and (r.replaced_at is None or r.replaced_at >= when)
    ]
    found = {
        (r.framework, r.control): (
            r.result,
            r.valid_until,
            r.assets,
            r.assets_like_it,
            r.last_assessed_at,
        )
        for r in standing
    }
    assert len(found) == len(standing)
    return found


CHANGED = Steps(
    ((START + timedelta(days=300)).date(), (START + timedelta(days=400)).date()), (90, 20, 150)
)
"""Days that changed twice within the history."""
QUERY = text(f"""
select framework, control, result, assessed_at, nullif(replaced_at, 'infinity') as replaced_at,
       valid_until, assets, assets_like_it, last_assessed_at from ({RESULTS}) r
""")


def stored(
    connection: Connection,
    owner: int,
    results: list[Row],
    retired: list[Row],
    absent: list[Row],
    unseen: Steps,
) -> list[Any]:
    """The program's rows of a history."""
    known = ((control_result, results), (asset_retirement, retired), (asset_absence, absent))
    for table, rows in known:
        connection.execute(table.delete())
        if rows:
            connection.execute(insert(table), [{**row, "workspace_id": owner} for row in rows])
    values = {"unseen": list(unseen.values), "unseen_since": list(unseen.since)}
    return list(connection.execute(QUERY, {"w": owner, "zone": "UTC", **values}))


@pytest.mark.parametrize("tried", seeds(few=25, many=120, deep=2000))
@pytest.mark.parametrize("assets", [("a", "b", "c"), ("", "a"), ("",)], ids=str)
def test_the_worst_of_the_assets_that_are_there(database, assets, tried):
    with database.job.begin() as connection:
        owner = connection.execute(
            insert(workspace).values(slug="payments", name="P").returning(workspace.c.id)
        ).scalar_one()
    with job_in(database.job, owner) as connection:
        for seed in tried:
            rng = random.Random(f"assets {assets} {seed}")
            results, retired, absent = history(rng, assets)
            unseen = rng.choice([Steps((), (90,)), Steps((), (30,)), CHANGED])
            rows = stored(connection, owner, results, retired, absent, unseen)
            moments = {
                START + timedelta(days=n, microseconds=m) for n in range(0, 700, 7) for m in (0, 1)
            }
            for row in rows:
                moments |= {row.assessed_at, row.assessed_at + TICK}
            for when in moments:
                left = [*retired, *absent]
                assert fast(rows, when) == slow(results, left, when, unseen), (when, results, left)
