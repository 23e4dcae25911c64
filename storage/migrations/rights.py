"""Rights, owners and functions as the migrations leave them, and as they are in a database.

``rights.json`` holds them as a new database has them, under names that no installation chooses: a test
compares both, and ``make rights`` writes it anew.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from storage.roles import DEFINER, Roles

FILE = Path(__file__).parent / "rights.json"
OWNED_BY, RUNS_AS, SETTINGS = "owned by", "runs as", "settings"
ORDER = (
    "select", "insert", "update", "delete", "truncate", "references", "trigger", "usage", "create",
    "execute",
)  # fmt: skip
"""Rights as they are told; none that only some versions of PostgreSQL know."""
Things = dict[str, dict[str, str]]
"""By ``kind name``: the owner, how a function runs, and the rights of each party."""

QUERY = text(
    r"""
with spaces as (
    select oid, nspname, nspowner, nspacl from pg_namespace where nspname in ('public', 'vigilo')
), things(kind, name, owner, runs_as, settings, acl) as (
    select 'schema', format('%I', nspname), nspowner, null, null,
           coalesce(nspacl, acldefault('n', nspowner))
    from spaces
    union all
    select case c.relkind when 'S' then 'sequence' else 'table' end,
           format('%I.%I', n.nspname, c.relname), c.relowner, null, null,
           coalesce(c.relacl, acldefault(
               cast(case c.relkind when 'S' then 's' else 'r' end as "char"), c.relowner))
    from pg_class c join spaces n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S')
    union all
    select 'column', format('%I.%I %I', n.nspname, c.relname, a.attname), c.relowner, null, null, a.attacl
    from pg_attribute a join pg_class c on c.oid = a.attrelid join spaces n on n.oid = c.relnamespace
    where a.attacl is not null and a.attnum > 0 and not a.attisdropped
    union all
    select 'function', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
           p.proowner, case when p.prosecdef then 'definer' else 'invoker' end,
           array_to_string(p.proconfig, '; '), coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_proc p join spaces n on n.oid = p.pronamespace
    where p.prokind = 'f'
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid
                      and d.deptype = 'e')
)
select t.kind, t.name, pg_get_userbyid(t.owner) as owner, t.runs_as, t.settings,
       case a.grantee when 0 then '' else pg_get_userbyid(a.grantee) end as grantee,
       array_agg(lower(a.privilege_type)) as rights
from things t left join lateral aclexplode(t.acl) a on true
group by 1, 2, 3, 4, 5, 6 order by 1, 2, 6
""".replace("::", r"\:\:")
)


@cache
def expected_rights() -> Mapping[str, Mapping[str, str]]:
    """Everything as a new database has it."""
    things: Things = json.loads(FILE.read_text(encoding="utf-8"))
    return things


def names(connection: Connection, roles: Roles) -> dict[str, str]:
    """The name of each party here. The owner is who owns most tables: a process that serves is not told
    one, and of a single table somebody may have made another the owner."""
    query = text(
        "select pg_get_userbyid(relowner) from pg_class"
        " where relnamespace = 'public'\\:\\:regnamespace and relkind in ('r', 'p')"
    )
    owners = Counter(connection.execute(query).scalars())
    owner = owners.most_common(1)[0][0] if owners else roles.owner
    return {"owner": owner, "web": roles.web, "job": roles.job, "definer": DEFINER, "public": ""}


def read_rights(connection: Connection, parties: Mapping[str, str]) -> Things:
    """Everything as it is in a database, with the names of ``parties``; other grantees are left out."""
    known = {name: party for party, name in parties.items()}
    things: Things = {}
    for row in connection.execute(QUERY):
        thing = things.setdefault(f"{row.kind} {row.name}", {})
        if row.kind in ("table", "function") or row.name == "vigilo":
            thing[OWNED_BY] = known.get(row.owner, f'"{row.owner}"')
        if row.runs_as:
            thing[RUNS_AS], thing[SETTINGS] = row.runs_as, row.settings or ""
        if (party := known.get(row.grantee)) and (in_words := in_order(row.rights)):
            thing[party] = in_words
    return things


def in_order(rights: set[str] | list[str]) -> str:
    """Rights as the file and statements name them."""
    return ", ".join(right for right in ORDER if right in rights)


def as_text(things: Things) -> str:
    """The file's text: a line for each thing, so that a change of one is a change of a line."""
    lines = (f"  {json.dumps(name)}: {json.dumps(thing)}" for name, thing in sorted(things.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"
