"""Presets that the night has packed: nobody can tell them from rows that are read as they stand."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import PRESETS, Ask
from reading import packed_presets
from reading.dashboard import read
from reading.encode import dashboard_json
from storage.context import as_viewer, job_in
from storage.executive import preset_rows
from storage.executive.preset_rows import zstd
from tests.reading.cached import LAST, deployed
from tests.reading.conftest import of_two_regions
from tests.stored_rows import built_once
from tests.world import World, at

OF_A_PRESET = ("period", "href")
"""Names that say how a period was asked for: the preset in them is no figure."""


def shown(world: World, ask: Ask) -> dict:
    dashboard = read(world.database, world.alice, ask, world.settings)
    return orjson.loads(orjson.dumps(dashboard_json(dashboard)))


def without_names(told: object) -> object:
    if isinstance(told, dict):
        return {k: without_names(v) for k, v in told.items() if k not in OF_A_PRESET}
    return [without_names(v) for v in told] if isinstance(told, list) else told


def packed_of(world: World) -> dict[tuple[int, int], int]:
    """Versions that are packed, by workspace and preset."""
    query = text("select workspace_id, preset, version from preset_rows")
    rows: dict[tuple[int, int], int] = {}
    for workspace_id in world.ids:
        with job_in(world.database.job, workspace_id) as connection:
            rows |= {(w, preset): version for w, preset, version in connection.execute(query)}
    return rows


@pytest.fixture
def grown(database, settings) -> World:
    return built_once(database, __name__, lambda: of_many_days(World(database, settings)))


def of_many_days(world: World) -> World:
    """The small world with all kinds of snapshot rows, over more than a year."""
    of_two_regions(world)
    for workspace_id in world.ids:
        for n in range(0, 500, 7):
            day = LAST - timedelta(days=n)
            key, result = f"k{n}", "compliant" if n % 3 else "non_compliant"
            times = {"created_at": at(day, 9), "completed_at": at(day, 9 + n % 11)}
            outcome = deployed(key, "failed" if n % 5 else "successful")
            world.add(workspace_id, "deployment", [outcome | times])
            world.add(
                workspace_id,
                "incident",
                [{"key": key, "opened_at": at(day, 1), "resolved_at": at(day, 2 + n % 9)}],
            )
            control = {"framework": "SOC2", "control": key, "assessed_at": at(day)}
            world.add(workspace_id, "control_result", [control | {"result": result}])
    world.backfill(LAST - timedelta(days=400), LAST)
    return world


def test_a_packed_preset_is_what_stands_and_what_its_days_give(grown):
    before = {n: shown(grown, Ask(n)) for n in PRESETS}
    assert packed_presets.pack(grown.database, grown.settings) == len(grown.ids)
    assert set(packed_of(grown)) == {(w, n) for w in grown.ids for n in PRESETS}
    for n in PRESETS:
        assert shown(grown, Ask(n)) == before[n]
        days = Ask(None, LAST - timedelta(days=n - 1), LAST)
        assert without_names(shown(grown, days)) == without_names(before[n])


def test_packed_rows_are_read_and_no_others(world):
    before = shown(world, Ask(28))
    packed_presets.pack(world.database, world.settings)
    world.owner_sql(
        "alter table workspace_usage_snapshot no force row level security;"
        "update workspace_usage_snapshot set failed_deployments_total = 0;"
        "alter table workspace_usage_snapshot force row level security"
    )
    assert shown(world, Ask(28)) == before
    days = Ask(None, LAST - timedelta(days=27), LAST)
    assert without_names(shown(world, days)) != without_names(before)


def test_a_snapshot_that_follows_is_shown_at_once_and_packed_by_the_next_night(world):
    packed_presets.pack(world.database, world.settings)
    old = packed_of(world)
    late = [deployed(f"late{n}", "failed") for n in range(9)]
    world.add(world.ids[0], "deployment", late)
    world.backfill(LAST, LAST, "alpha")
    changed = shown(world, Ask(28))
    days = Ask(None, LAST - timedelta(days=27), LAST)
    assert without_names(changed) == without_names(shown(world, days))
    assert packed_of(world) == old
    packed_presets.pack(world.database, world.settings)
    renewed = {key for key, version in packed_of(world).items() if version != old[key]}
    assert renewed == {(world.ids[0], n) for n in PRESETS}
    assert shown(world, Ask(28)) == changed


def test_other_sprints_ask_for_other_days(world):
    packed_presets.pack(world.database, world.settings)
    longer = world.settings.model_copy(update={"sprint_days": 21})
    world.settings = longer
    days = Ask(None, LAST - timedelta(days=27), LAST)
    assert without_names(shown(world, Ask(28))) == without_names(shown(world, days))


def test_a_preset_of_a_workspace_shows_in_its_own_context_alone(world):
    packed_presets.pack(world.database, world.settings)
    with as_viewer(world.database.web, world.alice) as connection:
        assert connection.execute(text("select count(*) from preset_rows")).scalar_one() == 0
        connection.execute(text("select vigilo.enter('rollup', :w)"), {"w": world.ids[0]})
        owners = set(connection.execute(text("select workspace_id from preset_rows")).scalars())
        assert owners == {world.ids[0]}


def test_one_that_can_not_be_packed_is_told_and_read_as_it_stands(world, monkeypatch, caplog):
    before = shown(world, Ask(28))
    usual = preset_rows.rows_to_pack

    def failing(connection, workspace_id, *requests) -> list:
        if workspace_id == world.ids[0]:
            connection.execute(text("select 1 / 0"))
        return usual(connection, workspace_id, *requests)

    monkeypatch.setattr(preset_rows, "rows_to_pack", failing)
    assert packed_presets.pack(world.database, world.settings) == len(world.ids) - 1
    assert f"the presets of workspace {world.ids[0]} are not packed" in caplog.text
    assert shown(world, Ask(28)) == before


def test_a_damaged_value_is_told_and_read_as_it_stands(world, caplog):
    before = shown(world, Ask(28))
    packed_presets.pack(world.database, world.settings)
    for workspace_id, change in zip(
        world.ids, ("substring(data for 20)", "'no frame'::bytea", "data || data"), strict=False
    ):
        with job_in(world.database.job, workspace_id) as connection:
            connection.execute(text(f"update preset_rows set data = {change}"))
    assert shown(world, Ask(28)) == before
    assert f"the packed preset of workspace {world.ids[0]} is damaged" in caplog.text
    assert f"the packed preset of workspace {world.ids[1]} is damaged" in caplog.text


def test_what_is_packed_is_a_part_of_what_stands(grown):
    packed_presets.pack(grown.database, grown.settings)
    query = text("select sum(octet_length(data)) from preset_rows where preset = 28")
    with job_in(grown.database.job, grown.ids[0]) as connection:
        packed = connection.execute(query).scalar_one()
        stored = connection.execute(
            text("select sum(octet_length(packed)) from workspace_usage_snapshot")
        ).scalar_one()
    assert packed < stored / 20


def test_presets_that_are_packed_together_are_each_what_its_own_rows_give(grown):
    packed_presets.pack(grown.database, grown.settings)
    values = values_of(grown)
    for n in PRESETS:
        with grown.database.owner.begin() as connection:
            connection.execute(text("truncate preset_rows"))
        only_one(grown, n)
        alone = values_of(grown)
        assert alone == {key: value for key, value in values.items() if key[1] == n}
        assert alone


def only_one(world: World, preset: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_presets, "PRESETS", (preset,))
        packed_presets.pack(world.database, world.settings)


def values_of(world: World) -> dict[tuple[int, int], bytes]:
    """Packed values as they are kept, by workspace and preset."""
    query = text("select workspace_id, preset, data from preset_rows")
    values: dict[tuple[int, int], bytes] = {}
    for workspace_id in world.ids:
        with job_in(world.database.job, workspace_id) as connection:
            values |= {(w, n): zstd.decompress(data) for w, n, data in connection.execute(query)}
    return values


def test_only_the_presets_that_are_missing_are_packed_anew(grown):
    packed_presets.pack(grown.database, grown.settings)
    values = values_of(grown)
    grown.owner_sql("delete from preset_rows where preset in (7, 365)")
    with_marks = dict.fromkeys(grown.ids, b"kept as it is")
    for workspace_id, mark in with_marks.items():
        with job_in(grown.database.job, workspace_id) as connection:
            connection.execute(
                text("update preset_rows set data = :d where preset = 28"),
                {"d": zstd.compress(mark)},
            )
    packed_presets.pack(grown.database, grown.settings)
    marked = {(w, 28): mark for w, mark in with_marks.items()}
    assert values_of(grown) == values | marked
