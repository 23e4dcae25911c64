"""Lists of all assets of a source: at the instant of a list, what it lacks has left.

A list is kept as a statement, with the assets of each framework that it tells of, so that it counts for
whatever is read before or after it. Its instant is the newest that it holds. An asset that its source told
of is absent from the first list on that comes after a result of it and lacks it, in the frameworks of the
list; unless a later list still has a result from before then. All of that follows from the lists and the
results alone, in whatever order they are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, text

from aggregators.records.statements import BY_HAND, ROW, Statement, Value, Words, plain, standing
from ingest.due.keeping import keep
from ingest.due.marks import newest_day, touched
from ingest.due.stored import LONG_AGO, digest, encoded
from ingest.due.whole_lists import LISTS, RESULTS
from ingest.records import SEPARATOR
from storage.arrays import array

FRAMEWORK, ASSESSED = "framework", "assessed_at"


class Absence(NamedTuple):
    """An asset that a list lacks: from when on it is not there, in which framework."""

    framework: str
    asset: str
    retired_at: datetime


@dataclass(slots=True)
class AssetList:
    """All assets of a source, by the name of the framework that a result of theirs has; each with the
    instant of the oldest of its results."""

    source: str
    received_at: datetime
    newest: datetime = LONG_AGO
    assets: dict[str, dict[str, datetime]] = field(default_factory=dict)

    def add(self, result: Mapping[str, Value]) -> None:
        """Adds what a result tells; one without an asset tells of its framework."""
        at = result[ASSESSED]
        assets = self.assets.setdefault(str(result[FRAMEWORK]), {})
        if not isinstance(at, datetime):
            return
        self.newest = max(self.newest, at)
        if asset := str(result.get("asset") or ""):
            assets[asset] = min(at, assets.get(asset, at))

    def merge(self, other: AssetList) -> None:
        """Adds another part of the same list."""
        self.newest = max(self.newest, other.newest)
        for framework, assets in other.assets.items():
            mine = self.assets.setdefault(framework, {})
            for asset, oldest in assets.items():
                mine[asset] = min(oldest, mine.get(asset, oldest))


def keep_list(connection: Connection, workspace_id: int, told: AssetList) -> None:
    """Keeps a list, in the workspace's job context of the connection."""
    content = orjson.dumps(told.assets, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    assertions: dict[str, Value] = {"assets": content.decode()}
    made = hashlib.blake2b(content, digest_size=16).hexdigest()
    identity = SEPARATOR.join([told.source, plain(told.newest), made])
    statement = Statement(told.source, assertions, told.received_at, told.newest, manner=ROW)
    stored = b'{"assets":' + content + b"}"
    key = (identity, digest(statement, encoded(assertions)))
    keep(connection, KEPT, workspace_id, {key: statement}, {key: stored}, None)


KEPT = f"{LISTS}{RESULTS}"
"""Kind under which the lists are kept."""

KNOWN = """
with meant as (
    select * from unnest(cast(:words as text[]), cast(:names as text[])) as m(word, framework)
), kept as materialized (
    select l.source, l.identity as list, l.at, l.received_at, m.framework, w.value as assets
    from statement l cross join jsonb_each(l.assertions -> 'assets') as w(word, value)
    join meant m on m.word = w.word
    where l.workspace_id = :w and l.kind = :lists and l.source = any(cast(:sources as text[]))
      and l.at > :oldest
), standing as materialized (
    select distinct on (source, framework, at) source, framework, at, list
    from (
        select source, framework, at, list, max(received_at) as received_at from kept group by 1, 2, 3, 4
    ) k
    order by source, framework, at, received_at desc, list
), listed as materialized (
    select s.source, s.framework, s.at, e.key as asset, min(cast(e.value as timestamptz)) as oldest
    from standing s join kept using (source, framework, at, list)
    cross join jsonb_each_text(kept.assets) as e group by 1, 2, 3, 4
), told as materialized ({told}
), lacking as materialized (
    select t.source, t.framework, t.asset, s.at
    from (select distinct source, framework, asset from told) t join standing s using (source, framework)
    where not exists (
        select from listed l where l.source = t.source and l.framework = t.framework
          and l.asset = t.asset and l.at = s.at)
), absent as (
    select * from lacking a where not exists (
        select from listed l where l.source = a.source and l.framework = a.framework
          and l.asset = a.asset and l.at > a.at and l.oldest < a.at)
)
select distinct framework, asset, min(at) as retired_at
from told join absent using (source, framework, asset)
where at > assessed_at group by source, framework, asset, assessed_at
"""
"""Absences from the lists of some sources that are newer than ``:oldest``. Of two lists of one source, one
framework and one instant the one counts that was received last."""
GIVEN = """
    select * from unnest(cast(:told_sources as text[]), cast(:told_frameworks as text[]),
                         cast(:told_assets as text[]), cast(:told_ats as timestamptz[]))
        as t(source, framework, asset, assessed_at)"""
OF_FRAMEWORKS = """
    select source, split_part(identity, chr(31), 1) as framework, split_part(identity, chr(31), 3) as asset,
           cast(split_part(identity, chr(31), 4) as timestamptz) as assessed_at
    from (
        select identity, source, manner, received_at from statement
        where workspace_id = :w and kind = :results and manner <> 9
        union all
        select s.identity, e ->> 0, cast(e ->> 1 as smallint), cast(e ->> 5 as timestamptz)
        from statement s cross join jsonb_array_elements(s.assertions -> 'of') as e
        where s.workspace_id = :w and s.kind = :results and s.manner = 9
    ) s
    where source = any(cast(:sources as text[])) and manner <> 2 and received_at > :long_ago
      and split_part(identity, chr(31), 1) = any(cast(:frameworks as text[]))
      and split_part(identity, chr(31), 3) <> ''"""
"""Results as their sources told them; those from before statements were kept are no source's."""
LISTS_OF = text("""
select distinct source, word from statement l cross join jsonb_object_keys(l.assertions -> 'assets') as word
where l.workspace_id = :w and l.kind = :lists
  and (l.source = any(cast(:sources as text[])) or cast(:sources as text[]) is null)
  and l.at > :oldest
""")
"""Sources of lists and names of frameworks in them."""


def note_results(
    connection: Connection,
    workspace_id: int,
    told: Sequence[tuple[str, Statement]],
    words: Words,
) -> None:
    """Keeps the absences that follow for results, by identity, from lists that are newer than they are, in
    the workspace's job context of the connection."""
    sources = {s.source for _, s in told}
    each = (s.assertions.get(ASSESSED) for _, s in told)
    oldest = min((at for at in each if isinstance(at, datetime)), default=LONG_AGO)
    values = _values(connection, workspace_id, sources, oldest, words)
    if values is None:
        return
    results: set[tuple[str, str, str, str]] = set()
    for identity, statement in told:
        framework, _, asset, assessed_at = identity.split(SEPARATOR)
        if asset and statement.manner is not BY_HAND:
            results.add((statement.source, framework, asset, assessed_at))
    columns = zip(*results, strict=True) if results else ((), (), (), ())
    for name, column in zip(("sources", "frameworks", "assets", "ats"), columns, strict=True):
        values[f"told_{name}"] = array(column)
    rows = connection.execute(text(KNOWN.format(told=GIVEN)), values)
    _write(connection, workspace_id, {Absence(*row) for row in rows}, set())


def renew(
    connection: Connection, workspace_id: int, words: Words, names: Iterable[str] | None = None
) -> set[Absence]:
    """Works out the absences anew: those of the frameworks that the names mean, or all. Returns those that
    are new. In the workspace's job context of the connection."""
    values = _values(connection, workspace_id, None, LONG_AGO, words)
    frameworks = None if names is None else {standing(words, FRAMEWORK, name) for name in names}
    stored = (Absence(*row) for row in connection.execute(STORED, {"w": workspace_id}))
    before = {a for a in stored if frameworks is None or a.framework in frameworks}
    now: set[Absence] = set()
    if values is not None:
        if frameworks is not None:
            values["frameworks"] = array(sorted(frameworks))
        rows = connection.execute(text(KNOWN.format(told=OF_FRAMEWORKS)), values)
        now = {Absence(*row) for row in rows}
    _write(connection, workspace_id, now - before, before - now)
    return now - before


def _values(
    connection: Connection,
    workspace_id: int,
    sources: Iterable[str] | None,
    oldest: datetime,
    words: Words,
) -> dict[str, object] | None:
    """Values of the query about the lists of the sources, or of all, that are newer than the oldest; None
    where there is none."""
    values: dict[str, object] = {
        "w": workspace_id,
        "lists": KEPT,
        "results": RESULTS,
        "oldest": oldest,
        "long_ago": LONG_AGO,
        "sources": None if sources is None else array(sorted(sources)),
    }
    known = connection.execute(LISTS_OF, values).all()
    if not known:
        return None
    told = sorted({row.word for row in known})
    meant = [standing(words, FRAMEWORK, word) for word in told]
    return values | {
        "sources": array(sorted({row.source for row in known})),
        "words": array(told),
        "names": array(meant),
        "frameworks": array(sorted({*meant})),
    }


STORED = text("select framework, asset, retired_at from asset_absence where workspace_id = :w")
ADD = text("""
insert into asset_absence (workspace_id, framework, asset, retired_at)
select :w, g.framework, g.asset, g.retired_at
from unnest(cast(:frameworks as text[]), cast(:assets as text[]), cast(:ats as timestamptz[]))
     as g(framework, asset, retired_at)
order by 2, 3, 4
on conflict do nothing
returning retired_at
""")
TAKE = text("""
delete from asset_absence a
using unnest(cast(:frameworks as text[]), cast(:assets as text[]), cast(:ats as timestamptz[]))
      as g(framework, asset, retired_at)
where a.workspace_id = :w and a.framework = g.framework and a.asset = g.asset
  and a.retired_at = g.retired_at
returning a.retired_at
""")


def _write(
    connection: Connection, workspace_id: int, added: set[Absence], taken: set[Absence]
) -> None:
    """Writes absences and takes others away, and marks the days that it touches."""
    instants: list[datetime] = []
    for query, absences in ((ADD, sorted(added)), (TAKE, sorted(taken))):
        if absences:
            values = {
                "w": workspace_id,
                "frameworks": array(a.framework for a in absences),
                "assets": array(a.asset for a in absences),
                "ats": array(a.retired_at for a in absences),
            }
            instants += connection.execute(query, values).scalars()
    newest = newest_day(connection, workspace_id) if instants else None
    if newest is not None:
        touched(connection, workspace_id, newest, instants)
