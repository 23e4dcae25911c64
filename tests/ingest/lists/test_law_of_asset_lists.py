"""The law of the fold for lists of all assets: whichever list is read first, however often, cut into
whatever files and with whatever else is told between them, the same assets stand at every instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, select, text

from aggregators.compliance.records import RESULTS
from aggregators.compliance.tables import asset_absence, control_result
from aggregators.records.statements import BY_HAND, EVENT, ROW, Statement, Value
from ingest import words
from ingest.desk import meanings
from ingest.importer import load
from ingest.kept.upkeep import compact
from ingest.kinds import KINDS
from ingest.lists.asset_lists import AssetList, keep_list, renew
from ingest.lists.authority import lacked_assets, retire_assets
from ingest.statements import Told, identity_of, tell
from storage.context import job_in
from tests.deep import seeds
from tests.ingest.formats.telling import RECEIVED, at
from tests.ingest.lists.conftest import HEADS
from tests.world import World

KIND = KINDS["control-results"]
NUMBERS = count()
STANDING = text(f"""
select framework, control, result, assessed_at, replaced_at, assets, assets_like_it from ({RESULTS}) r
where assessed_at < replaced_at order by 1, 2, 4
""")


class File(NamedTuple):
    """Lines of results; a list of all there is, or not."""

    lines: tuple[str, ...]
    is_whole: bool


def file(random: Random, month: int, *, is_whole: bool) -> File:
    """A list of assets of a month: some assessed then, some with the evidence of a month before."""
    lines = [f"F,c,always,compliant,2026-{month:02}-01T00:00Z"]
    for asset in random.sample("abc", random.randint(0, 3)):
        framework, control = random.choice("FFG"), random.choice("cd")
        at = random.choice([month, month, random.randint(1, month)])
        result = ["compliant", "non_compliant"][at % 2]
        lines.append(f"{framework},{control},{asset},{result},2026-{at:02}-01T00:00Z")
    return File(tuple(dict.fromkeys(lines)), is_whole)


def files(random: Random) -> list[File]:
    """Lists of different months, and other files."""
    months = random.sample(range(2, 8), random.randint(1, 4))
    told = [file(random, month, is_whole=True) for month in months]
    return told + [
        file(random, random.randint(1, 8), is_whole=False) for _ in range(random.randint(0, 2))
    ]


@pytest.fixture
def read(server, settings, tmp_path):
    """Imports files into a workspace, as the command does; what stands then at any instant."""

    def run(random: Random, each: list[File]) -> list[Any]:
        slug = f"assets-{next(NUMBERS)}"
        team = World(server, settings).workspace(slug)
        for told in each:
            lines = random.sample(told.lines, len(told.lines))
            cut = random.randint(0, len(lines))
            paths = []
            for number, part in enumerate(filter(None, (lines[:cut], lines[cut:]))):
                paths.append(Path(tmp_path / f"{number}.csv"))
                paths[-1].write_text("\n".join([HEADS["control-results"], *part, ""]))
            outcomes = load(
                server, KINDS["control-results"], paths, workspace=slug, is_whole=told.is_whole
            )
            assert not any(outcome.failed for outcome in outcomes)
            if told.is_whole:
                retire_assets(server, outcomes, lacked_assets(server, outcomes))
        with job_in(server.job, team) as connection:
            values = {"w": team, "zone": "UTC", "unseen": [900], "unseen_since": []}
            return list(connection.execute(STANDING, values))

    return run


@pytest.mark.parametrize("tried", seeds(few=2, many=15, deep=1500))
def test_whole_files_in_any_order_leave_the_same_assets(read, tried):
    for seed in tried:
        random = Random(f"assets {seed}")
        told = files(random)
        again = [*told, *random.choices(told, k=random.randint(0, 2))]
        random.shuffle(again)
        assert read(random, again) == read(random, told), seed


Step = list[Told] | AssetList
"""Results that are told at once; or a list of all assets of a source."""
MEANT = {"f": "F"}
"""Names of frameworks that mean another."""


def result(random: Random) -> dict[str, Value]:
    """A result of a control of an asset, or of none."""
    return {
        "framework": random.choice(["F", "f", "G"]),
        "control": random.choice("cd"),
        "asset": random.choice(["a", "b", "c", ""]),
        "result": random.choice(["compliant", "partial"]),
        "assessed_at": at("09:00", random.randint(1, 6)),
    }


def telling(random: Random) -> Step:
    """Results that are told: by a file, by a scan or by a person."""
    told = []
    for values in [result(random)] * random.randint(1, 3) + [result(random)]:
        received = RECEIVED + timedelta(minutes=random.randint(1, 6))
        manner = random.choice([ROW, ROW, ROW, EVENT, BY_HAND])
        source = random.choice(["csv", "csv", "scan"])
        assessed = values["assessed_at"]
        assert isinstance(assessed, datetime)
        said = Statement(source, values, received, assessed, manner=manner)
        told.append(Told(identity_of(KIND, values), said))
    return told


def listing(random: Random, minute: int) -> Step:
    """A list of all assets of a source, received at a minute of its own."""
    told = AssetList(random.choice(["csv", "csv", "scan"]), RECEIVED + timedelta(minutes=minute))
    for _ in range(random.randint(1, 3)):
        told.add(result(random))
    return told


def take(connection: Connection, team: int, step: Step) -> None:
    """Takes a step, in the job context of the workspace."""
    meant = words.as_they_stand(connection, team)
    if isinstance(step, AssetList):
        keep_list(connection, team, step)
        renew(connection, team, meant, step.assets)
    else:
        tell(connection, KIND, team, step, meant)


def rows(
    connection: Connection, team: int, steps: list[Step], random: Random | None
) -> tuple[list[Any], set[tuple[Any, ...]]]:
    """Results and absences after the steps, in a workspace that is as before afterwards; between the steps
    statements are compacted, where it is random."""
    tried = connection.begin_nested()
    for step in steps:
        take(connection, team, step)
        if random and random.random() < 0.3:
            compact(connection, team, RECEIVED + timedelta(minutes=random.randint(1, 9)))
    key = control_result.primary_key.columns
    left = list(connection.execute(select(control_result).order_by(*key)))
    names = ("framework", "asset", "retired_at")
    absent = {*connection.execute(select(*(asset_absence.c[name] for name in names)))}
    tried.rollback()
    return left, {tuple(row) for row in absent}


def absences(steps: list[Step]) -> set[tuple[Any, ...]]:
    """Absences by what is promised, one by one."""
    told = {
        (s.source, MEANT.get(str(v["framework"]), v["framework"]), v["asset"], v["assessed_at"])
        for step in steps
        if isinstance(step, list)
        for _, s in step
        if s.manner is not BY_HAND and (v := s.assertions)["asset"]
    }
    lists: dict[Any, dict[datetime, dict[str, datetime]]] = {}
    for each in sorted((s for s in steps if isinstance(s, AssetList)), key=lambda s: s.received_at):
        meant: dict[str, dict[str, datetime]] = {}
        for name, assets in each.assets.items():
            mine = meant.setdefault(MEANT.get(name, name), {})
            mine |= {a: min(oldest, mine.get(a, oldest)) for a, oldest in assets.items()}
        for name, mine in meant.items():
            lists.setdefault((each.source, name), {})[each.newest] = mine
    found = set()
    for source, framework, asset, assessed in told:
        known = lists.get((source, framework), {})
        gone = [
            when
            for when, assets in known.items()
            if when > assessed and asset not in assets
            if not any(
                later > when and asset in other and other[asset] < when
                for later, other in known.items()
            )
        ]
        found |= {(framework, asset, min(gone))} if gone else set()
    return found


@pytest.mark.parametrize("tried", seeds(few=15, many=60, deep=2500))
def test_lists_and_results_in_any_order_leave_the_same_rows(server, settings, tried):
    """Two of the names are one framework; one is another."""
    team = World(server, settings).workspace(f"assets-{next(NUMBERS)}")
    for name, meaning in MEANT.items():
        meanings.change(server, (team, "assets"), "framework", name, meaning, "erin@x.example")
    some = 0
    for seed in tried:
        random = Random(f"steps {seed}")
        steps = [telling(random) for _ in range(random.randint(1, 5))]
        minutes = random.sample(range(1, 9), random.randint(1, 4))
        steps += [listing(random, minute) for minute in minutes]
        again = [*steps, *random.choices(steps, k=random.randint(0, 3))]
        random.shuffle(again)
        with job_in(server.job, team) as connection:
            left, absent = rows(connection, team, steps, None)
            assert rows(connection, team, again, random) == (left, absent), seed
        assert absent == absences(steps), seed
        some += bool(absent)
    assert some > len(tried) / 4
