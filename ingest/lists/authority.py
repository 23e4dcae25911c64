"""Files that list all assets of their source: the assets that they lack any more, and their retirement.

What is shown is what keeping the lists would change, so both are worked out by the same statements
(``ingest.lists.asset_lists``); an asset that was retired by then is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from ingest import words
from ingest.lists.asset_lists import Absence, AssetList, keep_list, renew
from ingest.lists.complete import ListChanged, slug_of
from ingest.report import ImportOutcome
from storage.arrays import array
from storage.context import job_in
from storage.database import Database


class LackedAsset(NamedTuple):
    """An asset that is in no list of its source any more, and when the list was made."""

    workspace: str
    framework: str
    asset: str
    retired_at: datetime


def lacked_assets(database: Database, outcomes: Sequence[ImportOutcome]) -> list[LackedAsset]:
    """Assets that files, which have been imported as whole, lack of those that their source told before,
    in the frameworks that they tell. Nothing is retired yet."""
    lacked = []
    for owner, lists in _lists(outcomes):
        with job_in(database.job, owner) as connection:
            tried = connection.begin_nested()
            lacked += _keep_lists(connection, owner, lists)
            tried.rollback()
    return sorted(lacked)


def retire_assets(
    database: Database, outcomes: Sequence[ImportOutcome], shown: Sequence[LackedAsset]
) -> int:
    """Keeps the lists and retires what they lack; returns how many assets that were. Raises ListChanged
    where those are not all ``shown``; what other workspaces lack may be retired by then."""
    number = 0
    for owner, lists in _lists(outcomes):
        with job_in(database.job, owner) as connection:
            lacked = {*_keep_lists(connection, owner, lists)}
            if not lacked <= {*shown}:
                raise ListChanged
        number += len(lacked)
    return number


def _lists(outcomes: Sequence[ImportOutcome]) -> Iterator[tuple[int, list[AssetList]]]:
    """The lists by workspace: those of one source in several files are one."""
    lists: dict[int, dict[str, AssetList]] = {}
    for outcome in outcomes:
        for (owner, source), assets in outcome.assets.items():
            mine = lists.setdefault(owner, {})
            mine.setdefault(source, AssetList(source, assets.received_at)).merge(assets)
    for owner, by_source in sorted(lists.items()):
        yield owner, [assets for _, assets in sorted(by_source.items())]


def _keep_lists(
    connection: Connection, owner: int, lists: Sequence[AssetList]
) -> list[LackedAsset]:
    """Keeps lists, and returns what they retire."""
    meanings = words.of_workspace(connection, owner)
    for asset_list in lists:
        keep_list(connection, owner, asset_list)
    names = {name for asset_list in lists for name in asset_list.assets}
    absences = _felt_absences(connection, owner, renew(connection, owner, meanings, names))
    slug = slug_of(connection, owner)
    return [LackedAsset(slug, *absence) for absence in absences]


FELT = text("""
select framework, asset, retired_at
from unnest(cast(:frameworks as text[]), cast(:assets as text[]), cast(:ats as timestamptz[]))
     as g(framework, asset, retired_at)
where exists (
    select from control_result r
    where r.workspace_id = :w and r.framework = g.framework and r.asset = g.asset
      and r.assessed_at < g.retired_at and not exists (
        select from asset_retirement t
        where t.workspace_id = :w and t.asset = g.asset and t.framework in ('', g.framework)
          and t.retired_at > r.assessed_at and t.retired_at <= g.retired_at))
order by 1, 2, 3
""")
"""Of absences those by which a result ends that stood until then."""


def _felt_absences(connection: Connection, owner: int, absences: set[Absence]) -> list[Absence]:
    """Absences by which a result ends that stood until then."""
    each = sorted(absences)
    values = {
        "w": owner,
        "frameworks": array(a.framework for a in each),
        "assets": array(a.asset for a in each),
        "ats": array(a.retired_at for a in each),
    }
    return [Absence(*row) for row in connection.execute(FELT, values)]
