"""Lists of all assets of a source: at the instant of a list, what it lacks has left.

A list is kept as a statement, with the assets of each framework that it tells of, so that it counts for
whatever is read before or after it. Its instant is the newest that it holds. An asset that its source told
of is absent from the first list on that comes after a result of it and lacks it, in the frameworks of the
list; unless a later list still has a result from before then. All of that follows from the lists and the
results alone, in whatever order they are read.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, text

from aggregators.records.statements import (
    BY_HAND,
    ROW,
    Statement,
    Value,
    Words,
    as_in_a_file,
    resolved_meaning,
)
from ingest.due.marks import mark_from, newest_day
from ingest.kept.keeping import keep
from ingest.kept.stored import LONG_AGO, digest, encode_assertions
from ingest.lists.whole_lists import LISTS, RESULTS
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


def keep_list(connection: Connection, workspace_id: int, asset_list: AssetList) -> None:
    """Keeps a list, in the workspace's job context of the connection."""
    content = orjson.dumps(asset_list.assets, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    assertions: dict[str, Value] = {"assets": content.decode()}
    made = hashlib.blake2b(content, digest_size=16).hexdigest()
    identity = SEPARATOR.join([asset_list.source, as_in_a_file(asset_list.newest), made])
    statement = Statement(
        asset_list.source, assertions, asset_list.received_at, asset_list.newest, manner=ROW
    )
    stored = b'{"assets":' + content + b"}"
    key = (identity, digest(statement, encode_assertions(assertions)))
    keep(connection, KEPT, workspace_id, {key: statement}, {key: stored}, None)


KEPT = f"{LISTS}{RESULTS}"
"""Kind under which the lists are kept."""

KNOWN_LISTS = text("""
select source, identity, at, received_at, assertions -> 'assets' as assets from statement
where workspace_id = :w and kind = :lists and at > :oldest
  and (source = any(cast(:sources as text[])) or cast(:sources as text[]) is null)
order by received_at, identity
""")
"""Lists, the one that was received last at the end."""
TOLD = """
    select source, split_part(identity, chr(31), 1) as framework, split_part(identity, chr(31), 3) as asset,
           split_part(identity, chr(31), 4) as assessed_at
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
ASSETS = text(f"select distinct source, framework, asset from ({TOLD}) t")
RESULTS_OF = text(f"""
select distinct t.source, t.framework, t.asset, t.assessed_at from ({TOLD}) t
join unnest(cast(:of as text[]), cast(:by as text[]), cast(:in as text[])) as g(asset, source, framework)
using (asset, source, framework)
""")


class ToldResult(NamedTuple):
    """An asset that its source told of in a framework, and when a result of it was assessed."""

    source: str
    framework: str
    asset: str
    assessed_at: datetime


Listed = dict[datetime, dict[str, datetime]]
"""Assets of each list, by its instant, with the oldest result of each."""


class KnownLists(dict[tuple[str, str], Listed]):
    """Lists by source and framework. Of two of one instant the one counts that was received last."""

    def leaving_times(self, source: str, framework: str, asset: str) -> list[datetime]:
        """When lists lack an asset, the first first, unless a later one still has a result of before."""
        known = self.get((source, framework), {})
        lacking: list[datetime] = []
        oldest: datetime | None = None
        for at in sorted(known, reverse=True):
            listed_at = known[at].get(asset)
            if listed_at is not None:
                oldest = listed_at if oldest is None else min(listed_at, oldest)
            elif oldest is None or oldest >= at:
                lacking.append(at)
        return lacking[::-1]

    def absences(self, results: Iterable[ToldResult]) -> Iterator[Absence]:
        """Absences that follow for results: each ends with the first list after it that lacks its asset."""
        leaving: dict[tuple[str, str, str], list[datetime]] = {}
        for source, framework, asset, assessed_at in results:
            of = (source, framework, asset)
            if of not in leaving:
                leaving[of] = self.leaving_times(*of)
            later = leaving[of][bisect_right(leaving[of], assessed_at) :]
            if later:
                yield Absence(framework, asset, later[0])


def note_results(
    connection: Connection,
    workspace_id: int,
    statements: Sequence[tuple[str, Statement]],
    words: Words,
) -> None:
    """Keeps the absences that follow for results, by identity, from lists that are newer than they are, in
    the workspace's job context of the connection."""
    each = (s.assertions.get(ASSESSED) for _, s in statements)
    oldest = min((at for at in each if isinstance(at, datetime)), default=LONG_AGO)
    lists = _lists_newer_than(
        connection, workspace_id, {s.source for _, s in statements}, oldest, words
    )
    if not lists:
        return
    results = set()
    for identity, statement in statements:
        framework, _, asset, assessed_at = identity.split(SEPARATOR)
        if asset and statement.manner is not BY_HAND:
            at = datetime.fromisoformat(assessed_at)
            results.add(ToldResult(statement.source, framework, asset, at))
    _write(connection, workspace_id, set(lists.absences(results)), set())


def renew(
    connection: Connection, workspace_id: int, words: Words, names: Iterable[str] | None = None
) -> set[Absence]:
    """Works out the absences anew: those of the frameworks that the names mean, or all. Returns those that
    are new. In the workspace's job context of the connection."""
    frameworks = (
        None if names is None else {resolved_meaning(words, FRAMEWORK, name) for name in names}
    )
    stored = (Absence(*row) for row in connection.execute(STORED, {"w": workspace_id}))
    before = {a for a in stored if frameworks is None or a.framework in frameworks}
    lists = _lists_newer_than(connection, workspace_id, None, LONG_AGO, words)
    for of in [of for of in lists if frameworks is not None and of[1] not in frameworks]:
        del lists[of]
    now = set(lists.absences(_results_lacked(connection, workspace_id, lists)))
    _write(connection, workspace_id, now - before, before - now)
    return now - before


def _results_lacked(
    connection: Connection, workspace_id: int, lists: KnownLists
) -> Iterator[ToldResult]:
    """Results of the assets that some list lacks."""
    values = {
        "w": workspace_id,
        "results": RESULTS,
        "long_ago": LONG_AGO,
        "sources": array(sorted({source for source, _ in lists})),
        "frameworks": array(sorted({framework for _, framework in lists})),
    }
    if not lists:
        return
    each = [row for row in connection.execute(ASSETS, values).all() if lists.leaving_times(*row)]
    values["of"] = array(row.asset for row in each)
    values["by"] = array(row.source for row in each)
    values["in"] = array(row.framework for row in each)
    for source, framework, asset, at in connection.execute(RESULTS_OF, values) if each else ():
        yield ToldResult(source, framework, asset, datetime.fromisoformat(at))


def _lists_newer_than(
    connection: Connection,
    workspace_id: int,
    sources: Iterable[str] | None,
    oldest: datetime,
    words: Words,
) -> KnownLists:
    """Lists of the sources, or of all, that are newer than the oldest."""
    values = {
        "w": workspace_id,
        "lists": KEPT,
        "oldest": oldest,
        "sources": None if sources is None else array(sorted(sources)),
    }
    known = KnownLists()
    for row in connection.execute(KNOWN_LISTS, values):
        mine: dict[str, dict[str, datetime]] = {}
        for word, assets in row.assets.items():
            own = mine.setdefault(resolved_meaning(words, FRAMEWORK, word), {})
            for asset, listed_at in assets.items():
                first = datetime.fromisoformat(listed_at)
                own[asset] = min(first, own.get(asset, first))
        for framework, own in mine.items():
            known.setdefault((row.source, framework), {})[row.at] = own
    return known


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
        mark_from(connection, workspace_id, newest, instants)
