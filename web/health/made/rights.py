"""Rights, owners and functions against what the migrations have made: whatever lacks or is too much is told
with the statement that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from storage.migrations import rights
from storage.migrations.rights import OWNED_BY, RUNS_AS, SETTINGS
from storage.roles import Roles
from storage.schema import quote_name
from web.health.findings import HealthFinding

RESTORE = (
    "flask --app app backup restore latest   (into an empty database: docs/operation.md, Restore)"
)
AS_OWNER, AS_SUPERUSER = "   (as the owner)", "   (as a superuser)"
PUBLIC = "schema public"
"""A schema of which the server and its administrator decide who owns it, and whether all may use it."""
Thing = Mapping[str, str]


def findings(connection: Connection, roles: Roles) -> Iterator[HealthFinding]:
    """Everything that is not as the migrations have made it. Things that they did not make are left out:
    tables of an installation's own domains, and whatever an extension brought."""
    parties = rights.names(connection, roles)
    there = rights.read_rights(connection, parties)
    expected = rights.expected_rights()
    for thing, meant in expected.items():
        kind, _, name = thing.partition(" ")
        present = there.get(thing)
        if present is None and kind == "column":
            present = {}
        if present is None:
            yield _missing_thing(kind, name, there, expected)
        else:
            yield from _findings_of_thing(thing, meant, present, parties)
    for thing, present in there.items():
        kind, _, name = thing.partition(" ")
        if kind == "column" and thing not in expected and _table(name) in expected:
            yield from _too_much(thing, {}, present, parties)


def _table(column: str) -> str:
    return f"table {column.rpartition(' ')[0]}"


def _missing_thing(
    kind: str, name: str, there: Mapping[str, Thing], expected: Mapping[str, Thing]
) -> HealthFinding:
    """A thing that is not there. A function may be there by another name."""
    remedy = RESTORE
    if kind == "function":
        called, _, arguments = name.partition("(")
        others = [
            each.partition(" ")[2]
            for each in there
            if each.startswith("function vigilo.")
            and each not in expected
            and each.partition("(")[2] == arguments
        ]
        if len(others) == 1:
            _, _, former = called.partition(".")
            remedy = f"alter function {others[0]} rename to {former};{AS_SUPERUSER}"
    return HealthFinding("schema", remedy, f"there is no {kind} {_short_name(name)}", True)


def _findings_of_thing(
    thing: str, meant: Thing, present: Thing, parties: Mapping[str, str]
) -> Iterator[HealthFinding]:
    """Findings about a thing's owner and rights, in the order in which to mend them."""
    kind, _, name = thing.partition(" ")
    owner, owner_now = meant.get(OWNED_BY), present.get(OWNED_BY)
    if owner and owner_now and owner != owner_now:
        now = parties.get(owner_now, owner_now.strip('"'))
        type_this = (
            f"alter {kind} {_short_name(name)} owner to {quote_name(parties[owner])};{AS_SUPERUSER}"
        )
        brief = "function owners" if kind == "function" else "owners"
        stops = kind == "function" or owner_now in ("web", "job")
        yield HealthFinding(brief, type_this, f"{_short_name(name)} is {now}'s", stops)
        return  # whoever becomes the owner takes over the rights of the one before
    if kind == "function":
        yield from _runs(name, meant, present)
    yield from _lacking_rights(thing, meant, present, parties)
    yield from _too_much(thing, meant, present, parties)


def _runs(name: str, meant: Thing, present: Thing) -> Iterator[HealthFinding]:
    """How a function runs: with whose rights, and where it finds tables."""
    if present[RUNS_AS] != meant[RUNS_AS]:
        type_this = f"alter function {name} security {meant[RUNS_AS]};{AS_SUPERUSER}"
        detail = f"{name} runs as its {present[RUNS_AS]}"
        yield HealthFinding("function owners", type_this, detail, True)
    if present[SETTINGS] != meant[SETTINGS]:
        statements = [f"alter function {name} reset all;"] if present[SETTINGS] else []
        for setting in filter(None, meant[SETTINGS].split("; ")):
            key, _, value = setting.partition("=")
            statements.append(f"alter function {name} set {key} = {value};")
        now = present[SETTINGS]
        detail = (
            f"{name} runs with {now}" if now else f"{name} finds tables by its caller's search path"
        )
        yield HealthFinding("function owners", " ".join(statements) + AS_SUPERUSER, detail, True)


def _lacking_rights(
    thing: str, meant: Thing, present: Thing, parties: Mapping[str, str]
) -> Iterator[HealthFinding]:
    """Rights that somebody took away. What everybody may, nobody needs to be given."""
    everybody = _rights_of_party(present, "public")
    roles = ("owner", "web", "job", "definer")
    for party in roles:
        if party == "owner" and thing == PUBLIC:
            continue
        if lacks := _rights_of_party(meant, party) - _rights_of_party(present, party) - everybody:
            yield _lack(thing, party, lacks, parties, meant)
    if thing != PUBLIC:
        lacks = _rights_of_party(meant, "public") - everybody
        if lacks and not all(lacks <= _rights_of_party(present, party) for party in roles[1:]):
            yield _lack(thing, "public", lacks, parties, meant)


def _lack(
    thing: str, party: str, lacks: set[str], parties: Mapping[str, str], meant: Thing
) -> HealthFinding:
    typed, difference, by = _words(thing, lacks, meant)
    whom = quote_name(parties[party]) if parties[party] else "public"
    who = parties[party] or "everybody"
    detail = f"{who} lacks {rights.in_order(lacks)} on {difference}"
    return HealthFinding("rights", f"grant {typed} to {whom};{by}", detail, party != "owner")


def _too_much(
    thing: str, meant: Thing, present: Thing, parties: Mapping[str, str]
) -> Iterator[HealthFinding]:
    """Rights that nobody of this program gave to the role that serves, or to everybody."""
    for party in ("web", "public"):
        if party == "public" and thing == PUBLIC and _rights_of_party(present, party) == {"usage"}:
            continue
        more = _rights_of_party(present, party) - _rights_of_party(meant, party)
        if party == "web":
            more -= _rights_of_party(meant, "public")
        if more:
            typed, difference, by = _words(thing, more, meant)
            whom = quote_name(parties[party]) if parties[party] else "public"
            who = parties[party] or "everybody"
            detail = f"{who} has {rights.in_order(more)} on {difference}, which is not needed"
            yield HealthFinding("rights", f"revoke {typed} from {whom};{by}", detail)


def _rights_of_party(thing: Thing, party: str) -> set[str]:
    """Rights that a party has on a thing."""
    return set(filter(None, thing.get(party, "").split(", ")))


def _words(thing: str, some: set[str], meant: Thing) -> tuple[str, str, str]:
    """``rights on thing`` as a statement has it, the thing as a sentence has it, and who may type it."""
    kind, _, name = thing.partition(" ")
    by = AS_SUPERUSER if meant.get(OWNED_BY) == "definer" or thing == PUBLIC else AS_OWNER
    listed = rights.in_order(some)
    if kind == "column":
        table, _, column = name.rpartition(" ")
        each = ", ".join(f"{right} ({column})" for right in listed.split(", "))
        return f"{each} on {_short_name(table)}", f"{_short_name(table)}.{column}", by
    if kind == "table":
        return f"{listed} on {_short_name(name)}", _short_name(name), by
    return f"{listed} on {kind} {_short_name(name)}", f"{kind} {_short_name(name)}", by


def _short_name(name: str) -> str:
    """The name as every role of the program finds it."""
    return name.removeprefix("public.")
