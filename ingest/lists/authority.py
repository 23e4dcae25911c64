"""Files that list all assets of their source: the assets that they lack any more, and their retirement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import select, text

from aggregators.records.statements import Statement, Value
from ingest import words
from ingest.importer import workspace_id
from ingest.kinds import KINDS
from ingest.report import ImportOutcome
from ingest.statements import Told, identity_of, tell
from storage.context import job_in
from storage.database import Database
from storage.tables import workspace

RETIREMENTS = "asset-retirements"

LACKED = text("""
with told as (
    select split_part(s.identity, chr(31), 1) as framework, split_part(s.identity, chr(31), 3) as asset,
           s.received_at, split_part(s.identity, chr(31), 4) as assessed_at
    from statement s
    where s.workspace_id = :w and s.kind = 'control-results'
      and (s.source = :source or manner = 9 and exists (select from jsonb_array_elements(
            case when manner = 9 then assertions -> 'of' else '[]' end) e where e ->> 0 = :source))
), listed as (
    select framework, array_agg(distinct asset) as assets, max(cast(assessed_at as timestamptz)) as latest
    from told where received_at = :received and asset <> '' group by framework
)
select r.framework, r.asset, l.latest from control_result r
join listed l on l.framework = r.framework
where r.workspace_id = :w and r.asset <> '' and r.asset <> all(l.assets)
  and exists (select from told t where t.framework = r.framework and t.asset = r.asset)
group by r.framework, r.asset, l.latest
having max(r.assessed_at) < l.latest and not exists (
    select from asset_retirement t
    where t.workspace_id = :w and t.asset = r.asset and t.framework in ('', r.framework)
      and t.retired_at > max(r.assessed_at))
order by r.framework, r.asset
""")
"""Assets of the listed frameworks that the source told before, that stand, and that its list lacks: what
was received with the list is in it."""


class LackedAsset(NamedTuple):
    """An asset that is in no list of its source any more, and when the list was made."""

    workspace: str
    framework: str
    asset: str
    source: str
    retired_at: datetime


def lacked_assets(database: Database, outcomes: Sequence[ImportOutcome]) -> list[LackedAsset]:
    """Assets that files, which have been imported, lack of those that their source told before, in the
    frameworks that they tell. Nothing is retired yet."""
    lists = {
        (*of, outcome.received_at)
        for outcome in outcomes
        for of in outcome.listed
        if outcome.received_at
    }
    return [
        asset
        for owner, source, received_at in sorted(lists)
        for asset in _lacked(database, owner, source, received_at)
    ]


def _lacked(
    database: Database, owner: int, source: str, received_at: datetime
) -> Iterator[LackedAsset]:
    with job_in(database.job, owner) as connection:
        name = select(workspace.c.slug).where(workspace.c.id == owner)
        slug = str(connection.execute(name).scalar_one())
        values = {"w": owner, "source": source, "received": received_at}
        for row in connection.execute(LACKED, values):
            yield LackedAsset(slug, row.framework, row.asset, source, row.latest)


def retire_assets(database: Database, lacked: Sequence[LackedAsset]) -> None:
    """Tells the retirement of the assets, in their source's name."""
    kind, now = KINDS[RETIREMENTS], datetime.now(UTC)
    for slug in sorted({asset.workspace for asset in lacked}):
        owner = workspace_id(database, slug)
        told = []
        for asset in lacked:
            if asset.workspace == slug:
                assertions: dict[str, Value] = {
                    "asset": asset.asset,
                    "framework": asset.framework,
                    "retired_at": asset.retired_at,
                }
                statement = Statement(asset.source, assertions, now, asset.retired_at)
                told.append(Told(identity_of(kind, assertions), statement))
        with job_in(database.job, owner) as connection:
            tell(connection, kind, owner, told, words.of_workspace(connection, owner))
