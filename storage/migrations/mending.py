"""Definitions that are not as the migrations have made them, and the statements that make them so again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.migrations import definitions, rights
from storage.migrations.definitions import LAYOUT, Definition
from storage.migrations.rights import OWNED_BY
from storage.roles import DEFINER, Roles
from storage.schema import quote_name

OWNER, SUPERUSER = "owner", "superuser"
FOUND_BY_RIGHTS = ("function", "view")
"""Things that are told as gone by whoever looks at their rights."""
STOPS = ("function", "policy", "security", "trigger", "view", LAYOUT)
"""Things without which rows, credentials or figures are not what they should be."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A definition that is not as it was made; no statements where only a backup has it."""

    kind: str
    detail: str
    statements: tuple[str, ...] = ()
    by: str = OWNER
    stops: bool = True


def differences(connection: Connection, roles: Roles) -> Iterator[Difference]:
    """Everything that is not as the migrations have made it. Nothing where a whole table is gone, which
    whoever looks at the rights tells: all that refers to it is different then."""
    parties = rights.names(connection, roles)
    meant, there = (
        definitions.expected_definitions(),
        definitions.read_definitions(connection, parties),
    )
    if any(thing.startswith("security ") and thing not in there for thing in meant):
        return
    for thing, expected in meant.items():
        present, kind = there.get(thing), thing.partition(" ")[0]
        if present is None and kind in FOUND_BY_RIGHTS:
            continue
        if present is None or not _is_alike(kind, expected, present):
            yield _Changed(thing, expected, present, parties).difference()
    for thing in there.keys() - meant.keys():
        yield from _too_much(thing, there[thing], meant)


def _is_alike(kind: str, meant: Definition, present: Definition) -> bool:
    """Whether a thing is as it is meant; a layout may have further numbers behind."""
    if kind == LAYOUT:
        return f"{present.told} ".startswith(f"{meant.told} ")
    return (meant.told, meant.state) == (present.told, present.state)


def _too_much(
    thing: str, present: Definition, meant: Mapping[str, Definition]
) -> Iterator[Difference]:
    """A policy for our roles, or a trigger, that nobody of this program put on a table of it."""
    kind, _, name = thing.partition(" ")
    table, _, called = name.partition(" ")
    if kind not in ("policy", "trigger") or f"security {table}" not in meant:
        return
    if kind == "policy" and '"' in present.told.partition(" as ")[0]:
        return
    statement = f"drop {kind} {called} on {table}"
    detail = f"{called} on {_short_name(table)} is a {kind} that the program did not make"
    yield Difference(kind, detail, (statement,), stops=kind == "policy")


@dataclass(frozen=True, slots=True)
class _Changed:
    """A thing that is different or gone, and the names of the roles here."""

    thing: str
    meant: Definition
    present: Definition | None
    parties: Mapping[str, str]

    def difference(self) -> Difference:
        """The difference in words, with the statements that end it and who may run them."""
        kind, _, name = self.thing.partition(" ")
        table, _, called = name.partition(" ")
        make = getattr(self, f"_{kind}")
        statements: tuple[str, ...] = make(table, called)
        of_definer = rights.expected_rights().get(self.thing, {}).get(OWNED_BY) == "definer"
        by = DEFINER if of_definer else OWNER
        if kind == "constraint" and self._is_only_disabled():
            by = SUPERUSER
        stops = kind in STOPS or (kind == "column" and not statements)
        return Difference(kind, self._detail(kind, name, table, called), statements, by, stops)

    def _detail(self, kind: str, name: str, table: str, called: str) -> str:
        if kind == "security":
            return f"security of {_short_name(table)} is not {self.meant.told or 'off'}"
        what = (
            f"{kind} {name}"
            if kind in FOUND_BY_RIGHTS
            else f"{kind} {called} on {_short_name(table)}"
        )
        if kind in ("column", LAYOUT):
            what = f"{kind} {_short_name(table)}.{called}"
        if self.present is None:
            return f"there is no {what}"
        if self.present.told == self.meant.told and kind != "view":
            return f"{what} is {self.present.state}"
        return f"{what} is not as it was made"

    def _is_only_disabled(self) -> bool:
        return self.present is not None and self.present.told == self.meant.told

    def _function(self, table: str, called: str) -> tuple[str, ...]:
        return (self.meant.made_by,)

    def _view(self, table: str, called: str) -> tuple[str, ...]:
        return (self.meant.made_by,) if self.meant.told else ()

    def _trigger(self, table: str, called: str) -> tuple[str, ...]:
        made = self.meant.told.replace("CREATE TRIGGER", "create or replace trigger", 1)
        again = f"alter table {table} enable trigger {called}"
        return (again,) if self._is_only_disabled() else (made, again)

    def _policy(self, table: str, called: str) -> tuple[str, ...]:
        to, _, rest = self.meant.told.removeprefix("to ").partition(" as ")
        roles = ", ".join(quote_name(self.parties[party]) for party in to.split(", "))
        how, _, condition = rest.partition(" using ")
        statement = f"create policy {called} on {table} as {how} to {roles} using {condition}"
        return (f"drop policy if exists {called} on {table}", statement)

    def _security(self, table: str, called: str) -> tuple[str, ...]:
        on, forced = "enabled" in self.meant.told, "forced" in self.meant.told
        return (
            f"alter table {_short_name(table)} {'enable' if on else 'disable'} row level security",
            f"alter table {_short_name(table)} {'' if forced else 'no '}force row level security",
        )

    def _column(self, table: str, called: str) -> tuple[str, ...]:
        if self.present is None:
            return ()
        kind, default, needed = _parts(self.meant.told)
        now, default_now, needed_now = _parts(self.present.told)
        if kind != now or "generated" in (default + default_now).partition(" ")[0]:
            return ()
        alter, statements = f"alter table {table} alter column {called}", []
        if default != default_now:
            statements.append(f"{alter} set {default}" if default else f"{alter} drop default")
        if needed != needed_now:
            statements.append(f"{alter} {'set' if needed else 'drop'} not null")
        return tuple(statements)

    def _layout(self, table: str, called: str) -> tuple[str, ...]:
        return (f"comment on column {table}.{called} is '{self.meant.told}'",)

    def _constraint(self, table: str, called: str) -> tuple[str, ...]:
        if self._is_only_disabled():
            return (f"alter table {table} enable trigger all",)
        if self.present and self.present.told == f"{self.meant.told} NOT VALID":
            return (f"alter table {table} validate constraint {called}",)
        add = f"alter table {table} add constraint {called} {self.meant.told}"
        drop = f"alter table {table} drop constraint {called}"
        return (drop, add) if self.present else (add,)

    def _index(self, table: str, called: str) -> tuple[str, ...]:
        schema = table.partition(".")[0]
        if self._is_only_disabled():
            return (f"reindex index {schema}.{called}",)
        drop = f"drop index {schema}.{called}"
        return (drop, self.meant.told) if self.present else (self.meant.told,)


def _parts(column: str) -> tuple[str, str, bool]:
    """Type of a column, how it is filled, and whether it is needed."""
    head = column
    for word in (" default ", " generated"):
        head = head.partition(word)[0]
    return head.removesuffix(" not null"), column[len(head) :].strip(), head.endswith(" not null")


def _short_name(name: str) -> str:
    return name.removeprefix("public.")


def mend(connection: Connection, roles: Roles) -> tuple[list[Difference], list[Difference]]:
    """Makes everything again that the owner can make, within the caller's transaction; what was mended, and
    what could not be. Raises sqlalchemy errors where rows or other things are in the way."""
    changed = list(differences(connection, roles))
    here = [each for each in changed if each.statements and each.by != SUPERUSER]
    for each in here:
        if each.by == DEFINER:
            connection.exec_driver_sql(f"grant create on schema vigilo to {DEFINER}")
            connection.exec_driver_sql(f"set local role {DEFINER}")
        for statement in each.statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        if each.by == DEFINER:
            connection.execute(text("reset role"))
            connection.exec_driver_sql(f"revoke create on schema vigilo from {DEFINER}")
    return here, [each for each in changed if each not in here]
