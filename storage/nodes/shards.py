"""Shards of the tables with a workspace, and SQL of ours written for the tables of one of them.

A statement that names the tables as a node has them is planned by PostgreSQL alone, and its plan is kept;
one that names them as the cluster does is planned anew for each workspace, on two servers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.distributed import FIRST

SHARDS = text(
    """
select first.shardid, cast(first.shardminvalue as int), cast(first.shardmaxvalue as int),
       (select jsonb_object_agg(other.logicalrelid::text, shard_name(other.logicalrelid, other.shardid))
        from pg_dist_shard other
        where (other.shardminvalue = first.shardminvalue or other.shardminvalue is null)
          and other.logicalrelid in (
              select c.oid from pg_class c where c.relnamespace = 'public'::regnamespace))
from pg_dist_shard first where first.logicalrelid = cast(:first as regclass)
order by cast(first.shardminvalue as int)
""".replace("::", r"\:\:")
)
"""Each range of hashes with the names that tables have there; reference tables have one name everywhere."""
NO_ALIAS = frozenset({
    "where", "on", "using", "cross", "inner", "left", "right", "full", "natural", "join", "order", "group",
    "having", "window", "limit", "union", "except", "intersect", "set", "values", "select", "returning",
    "for", "loop",
})  # fmt: skip
"""Words after a table's name that are no alias of it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A range of hashes: the id of its first table, and the names of all of them there."""

    id: int
    low: int
    high: int
    names: Mapping[str, str]

    def sql(self, query: str) -> str:
        """A query as it reads these tables, which keep their names as aliases."""
        return _tables(tuple(sorted(self.names))).sub(self._as_shard_table, query)

    def _as_shard_table(self, mention: re.Match[str]) -> str:
        word, table, following = mention["word"], mention["table"], mention["following"]
        is_aliased = following is not None and following.lower() not in NO_ALIAS
        alias = "" if is_aliased else f" as {table}"
        return f"{word} public.{self.names[table]}{alias}"


def _tables(names: tuple[str, ...]) -> re.Pattern[str]:
    """Places where a query names one of the tables."""
    listed = "|".join(map(re.escape, names))
    return re.compile(
        rf"\b(?P<word>from|join|into|update|using)\s+(?:public\.)?(?P<table>{listed})\b(?![.\w])"
        r"(?=(?:\s+(?P<following>[a-z_]\w*))?)",
        re.IGNORECASE,
    )


def shards(connection: Connection) -> list[Shard]:
    """Every shard, in the order of the hashes."""
    rows = connection.execute(SHARDS, {"first": FIRST}).all()
    return [Shard(key, low, high, names) for key, low, high, names in rows]
