"""Functions with which the nightly job works beside the rows: it is told a workspace, and the whole of its
staging, or the publishing of all that lie in its shard, is one call.

Citus sends such a call to the node of the workspace, within the transaction; what it writes is committed
with it, in two phases where several nodes have written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from storage.nodes.visits import BESIDE, SCHEMA
from storage.snapshot.due import DONE, NOTED
from storage.snapshot.sql import PARAMETERS, with_values
from storage.snapshot.staging import PLANNER, STAGED
from storage.snapshot.statements import PUBLISH, STAGE
from storage.snapshot.tables import staged_workspace

HOW = " ".join(f"set {name} = '{value}'" for name, value in PLANNER.items())
OVERTAKEN = "VG001"
"""SQLSTATE of days that another run has staged."""
NUMBERED = {name: f"${n}" for n, name in enumerate(PARAMETERS, 1)} | {"now": "null"}


@dataclass(frozen=True, slots=True)
class Written:
    """A function that is called for one workspace, its first argument: types of its arguments, what it
    returns, its body as of the tables' own names, settings that hold within, and whether it names tables
    of ours at all."""

    called: str
    arguments: tuple[str, ...]
    results: str
    body: str
    how: str = ""
    is_by_shard: bool = True

    @property
    def name(self) -> str:
        """Name that another body has another of: a program calls none that was made by one of before."""
        return f"{self.called}_{hashlib.sha256(repr(self).encode()).hexdigest()[:8]}"

    @property
    def signature(self) -> str:
        """Name and types of the arguments."""
        return f"{self.name}({', '.join(self.arguments)})"


def _with_numbers(query: object, names: Mapping[str, str] = NUMBERED) -> str:
    """A query with what a body has for its named parameters."""
    return with_values(str(query), names).strip()


def _stage() -> str:
    *others, last = (_with_numbers(statement.query) for statement in STAGE)
    return f"""
begin
    perform 1 from ({_with_numbers(STAGED)}) known;
    if found then
        staged_days := 0;
        return next;
        return;
    end if;
    if cardinality({NUMBERED["firsts"]}) = 1 then
        noted_at := ({_with_numbers(NOTED)});
    end if;
    {";".join(others)};
    {last} into staged_days;
    return next;
end
"""


STAGING = Written(
    "stage", tuple(PARAMETERS.values()),
    "table (staged_days int, noted_at timestamptz)",
    _stage(), HOW,
)  # fmt: skip


def _one_published() -> str:
    """Statements that publish ``workspace_now``, the ``nth``."""
    own = {"w": "workspace_now", "since": "$4", "marked_at": "$3[nth]"}
    *moves, _note, _last = (_with_numbers(statement.query, own) for statement in PUBLISH)
    return f"""
            perform {_with_numbers(STAGED, own).removeprefix("select ")} for update;
            if not found then
                raise exception 'staged for another run' using errcode = '{OVERTAKEN}';
            end if;
            {";".join(moves)};
            select s.snapshot_date, s.computed_at into newest_day, newest_at
            from workspace_usage_snapshot s where s.workspace_id = workspace_now
            order by s.snapshot_date desc limit 1;
            select min(d.day) into oldest_staged
            from {staged_workspace.name} s cross join lateral unnest(s.days) as d(day)
            where s.workspace_id = workspace_now;
            delete from {staged_workspace.name} s where s.workspace_id = workspace_now;
            {_with_numbers(DONE, own)};
    """


def _publish() -> str:
    return f"""
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    workspace_now bigint;
    nth int := 0;
begin
    foreach workspace_now in array $2 loop
        nth := nth + 1;
        published := workspace_now;
        refused := null; refused_as := null; newest_day := null; newest_at := null; oldest_staged := null;
        begin
            perform {SCHEMA}.enter('job', workspace_now);
            {_one_published()}
        exception when others then
            -- The server is away or full: no workspace is broken.
            if sqlstate ~ '^(08|53|57P|58)' then
                raise;
            end if;
            refused := sqlerrm;
            refused_as := sqlstate;
        end;
        return next;
    end loop;
    perform {SCHEMA}.enter(level_before, workspace_before);
end
"""


PUBLISHING = Written(
    "publish", ("bigint", "bigint[]", "timestamptz[]", "timestamptz"),
    "table (published bigint, refused text, refused_as text,"
    " newest_day date, newest_at timestamptz, oldest_staged date)",
    _publish(), HOW,
)  # fmt: skip
PACKABLE = Written(
    "packable", ("bigint", "int[]", "text[]", "text[]", "date[]", "int[]", "int[]"),
    "table (of_preset int, of_version bigint, packable bytea)",
    f"""
declare
    nth int;
    is_broken boolean;
begin
    select w.snapshot_version into of_version from workspace w where w.id = $1;
    for nth in 1 .. cardinality($2) loop
        of_preset := $2[nth];
        perform 1 from preset_rows p
        where p.workspace_id = $1 and p.preset = of_preset and p.asked = $3[nth] and p.version = of_version;
        continue when found;
        select r.failed is not null, record_send(r) into is_broken, packable
        from {SCHEMA}.{BESIDE}rows_in_context(
            :shard, 'job', $1, $4[nth]::date[], $5[nth], $6[nth], $7[nth]) r;
        if not is_broken then
            return next;
        end if;
    end loop;
end
""",
)  # fmt: skip
"""Rows of the presets that are not packed as they are now, each as one value."""
ADDING = Written(
    "add_records", ("bigint", "text[]", "text[]", "text[]"), "void",
    """
declare
    nth int;
    named text;
begin
    for nth in 1 .. cardinality($2) loop
        select string_agg(quote_ident(c), ', ') into named from unnest(string_to_array($3[nth], ',')) c;
        execute format(
            'insert into %1$s (workspace_id, %2$s) select $1, %2$s'
            ' from json_populate_recordset(cast(null as %3$s), $2) on conflict do nothing',
            shard_name($2[nth]::regclass, get_shard_id_for_distribution_column($2[nth], $1)),
            named, $2[nth]::regclass
        ) using $1, $4[nth]::json;
    end loop;
end
""",
    is_by_shard=False,
)  # fmt: skip
"""Rows of tables as JSON, which the node alone reads: planned over the cluster they are read twice."""
WRITTEN = (STAGING, PUBLISHING, PACKABLE, ADDING)

KEEP_WATCHED = "keep_watched"
"""Function of the schema vigilo that is copied with a workspace before its own arguments."""
WATCHED_KINDS = (
    "bigint[]", "bigint[]", "text[]", "date", "date", "bytea[]", "float8[]", "float8[]", "int[]", "jsonb",
)  # fmt: skip
