"""Controls as a workspace lists them: with the assets behind each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from aggregators.compliance.listing import NAMED, QUERY
from storage.context import job_in
from tests.world import World

MAY = datetime(2026, 5, 4, 12, tzinfo=UTC)


def listed(
    server, settings, slug: str, *results: tuple[str, str, str]
) -> dict[str, tuple[Any, ...]]:
    """By control: the result, how many assets, how many like it, and their names; of results of an
    (asset, control)."""
    world = World(server, settings)
    team = world.workspace(slug)
    rows = [
        {"framework": "F", "control": c, "asset": a, "assessed_at": MAY, "result": r}
        for a, c, r in results
    ]
    world.add(team, "control_result", rows)
    values = {
        "w": team,
        "zone": "UTC",
        "last": date(2026, 5, 10),
        "unseen": [90],
        "unseen_since": [],
    }
    with job_in(server.job, team) as connection:
        found = connection.execute(text(QUERY.sql), values).all()
    return {r.control: (r.result, r.assets, r.assets_like_it, r.asset_names) for r in found}


def test_the_assets_behind_a_control_are_counted_and_those_of_its_result_named(server, settings):
    found = listed(
        server,
        settings,
        "assets-behind",
        ("db-2", "c", "non_compliant"),
        ("db-1", "c", "non_compliant"),
        ("web", "c", "compliant"),
        ("web", "d", "compliant"),
        ("", "e", "partial"),
    )
    assert found == {
        "c": ("non_compliant", 3, 2, "db-1, db-2"),
        "d": ("compliant", 1, 1, "web"),
        "e": ("partial", None, None, None),
    }


def test_of_very_many_assets_the_first_are_named(server, settings):
    hosts = [f"h{n:04d}" for n in range(NAMED + 7)]
    found = listed(server, settings, "assets-many", *((host, "c", "compliant") for host in hosts))
    result, assets, like_it, names = found["c"]
    assert (result, assets, like_it) == ("compliant", NAMED + 7, NAMED + 7)
    assert names.startswith("h0000, h0001,")
    assert names.endswith(f"h{NAMED - 1:04d} and 7 more")


def test_without_assets_nothing_is_said_of_them(server, settings):
    assert listed(server, settings, "assets-none", ("", "c", "compliant")) == {
        "c": ("compliant", None, None, None)
    }
