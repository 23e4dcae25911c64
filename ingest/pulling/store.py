"""Sources in PostgreSQL: made, changed, mapped, asked to run. The job role reads and writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatch
from typing import Any

import orjson
from cryptography.fernet import InvalidToken, MultiFernet
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from aggregators.name_order import by_name
from ingest.pulling.catalogue import kind_of
from ingest.pulling.problems import SourceProblem
from storage import audit
from storage.sources.tables import HISTORY_DAYS, SILENT_MINUTES, SILENT_TURNS

PURPOSE = "vigilo source secrets"
"""Purpose that the secrets are sealed for."""
FOREIGN = "42501"
"""SQLSTATE of a mapping that the database refuses."""
FORGOTTEN = "update source set secret = null, secret_hint = '', secret_set_at = null where id = :id"
READ_ANEW = (
    "delete from source_stream where source_id = :id",
    "delete from source_item where source_id = :id and not starts_with(key, 'told/')",
)
"""Forgets how far everything was read, not what was told."""
BEGIN_ANEW = f"""
with streams as ({READ_ANEW[0]}), things as ({READ_ANEW[1]})
update source set attempt = attempt + 1, lease_until = null where id = :id
"""
"""Forgets how far everything was read, not what was told, and has a run that is under way end at its next
piece."""
ELSEWHERE = "The address is another one, so the secret is gone: give it anew."
HISTORY, MINUTES = (1, 1000), (5, 7 * 24 * 60)
LONGEST_NAME, LONGEST_SECRET, LONGEST_PATTERN, MOST_RULES = 120, 4000, 200, 500


class NoSuchSource(LookupError):
    """There is no source of that number."""


@dataclass(frozen=True, slots=True)
class StoredSource:
    """A source without its secret."""

    id: int
    kind: str
    name: str
    home_workspace: int | None
    config: Mapping[str, str]
    secret_hint: str
    secret_set_at: datetime | None
    schedule_minutes: int
    history_days: int
    enabled: bool
    made_by: int
    made_at: datetime
    state: str
    error_code: str
    message: str
    failures: int
    next_at: datetime
    last_success_at: datetime | None
    lease_until: datetime | None
    attempt: int
    again_from: date | None

    @property
    def is_syncing(self) -> bool:
        """Whether a run is under way."""
        return self.lease_until is not None and self.lease_until > datetime.now(UTC)

    @property
    def is_silent(self) -> bool:
        """Whether three of its turns have passed without a good sync, whatever it says of itself."""
        turns = timedelta(minutes=SILENT_TURNS * self.schedule_minutes + SILENT_MINUTES)
        return self.enabled and (self.last_success_at or self.made_at) < datetime.now(UTC) - turns

    @property
    def title(self) -> str:
        """Name of its kind."""
        return kind_of(self.kind).title


COLUMNS = ", ".join(f"s.{name}" for name in StoredSource.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source to be made. ``home_workspace`` is None where it is the organisation's."""

    kind: str
    name: str
    config: Mapping[str, str]
    secret: str = ""
    home_workspace: int | None = None
    schedule_minutes: int | None = None
    history_days: int = HISTORY_DAYS


def create(engine: Engine, box: MultiFernet, new: NewSource, by: tuple[int, str]) -> int:
    """Makes a source, in the name of the account ``by`` (id and address); returns its id. Raises
    SourceProblem naming the setting."""
    kind = kind_of(new.kind)
    config = kind.checked(new.config)
    minutes = new.schedule_minutes or kind.minutes
    _check_numbers(minutes, new.history_days)
    if not new.name.strip():
        raise SourceProblem("setting", "A name is required.", "name")
    if new.home_workspace is None and kind.scopes is None:
        told_so = f"{kind.title} feeds one workspace: choose it."
        raise SourceProblem("setting", told_so, "workspace")
    values = {
        "kind": kind.kind,
        "name": new.name.strip()[:120],
        "home": new.home_workspace,
        "config": orjson.dumps(config).decode(),
        "minutes": minutes,
        "days": new.history_days,
        "by": by[0],
    }
    with engine.begin() as connection:
        id = connection.execute(
            text(
                "insert into source (kind, name, home_workspace, config, schedule_minutes,"
                " history_days, made_by) values (:kind, :name, :home, cast(:config as jsonb),"
                " :minutes, :days, :by) returning id"
            ),
            values,
        ).scalar_one()
        if new.secret:
            _seal(connection, box, id, new.secret)
        details = {"kind": kind.kind, "name": values["name"], "workspace": new.home_workspace}
        audit.record(connection, by[1], "source.create", str(id), details)
    return int(id)


def _check_numbers(minutes: int, days: int) -> None:
    if not MINUTES[0] <= minutes <= MINUTES[1]:
        told_so = f"It syncs every {MINUTES[0]} minutes at most, once a week at least."
        raise SourceProblem("setting", told_so, "minutes")
    if not HISTORY[0] <= days <= HISTORY[1]:
        told_so = f"History reaches back {HISTORY[0]} to {HISTORY[1]:,} days."
        raise SourceProblem("setting", told_so, "days")


def _seal(connection: Connection, box: MultiFernet, id: int, secret: str) -> None:
    """Keeps a secret sealed together with the source that it is for; its end serves as a hint."""
    sealed = box.encrypt(orjson.dumps({"source": id, "token": secret}))
    hint = f"…{secret[-4:]}" if len(secret) >= 12 else "set"
    connection.execute(
        text(
            "update source set secret = :secret, secret_hint = :hint, secret_set_at = now(),"
            " next_at = now(), failures = 0 where id = :id"
        ),
        {"id": id, "secret": sealed, "hint": hint},
    )


def replace_secret(engine: Engine, box: MultiFernet, id: int, secret: str, by: str) -> None:
    """Takes a new secret; the one before is gone."""
    if not secret.strip():
        raise SourceProblem("setting", "The secret is empty.", "secret")
    with engine.begin() as connection:
        _seal(connection, box, id, secret.strip())
        audit.record(connection, by, "source.rotate", str(id), {})


def secret_of(connection: Connection, box: MultiFernet, id: int) -> str:
    """The secret of a source, empty where it has none. Raises SourceProblem where no key opens it, or it
    was sealed for another source."""
    sealed = connection.execute(
        text("select secret from source where id = :id"), {"id": id}
    ).scalar()
    if sealed is None:
        return ""
    try:
        opened = orjson.loads(box.decrypt(bytes(sealed)))
    except InvalidToken as error:
        raise SourceProblem("token_invalid", "No key opens the secret any more.") from error
    if opened["source"] != id:
        raise SourceProblem("token_invalid", "The secret is another source's.")
    return str(opened["token"])


def change(engine: Engine, id: int, by: str, **values: Any) -> bool:
    """Changes name, config, schedule_minutes, history_days or enabled. False where the source has another
    address since: then its secret is forgotten, as it was given for the one before. What was read by
    another config is read again. Raises SourceProblem, NoSuchSource."""
    known = find_source(engine, id)
    keeps_secret, begins_anew = True, False
    if "config" in values:
        config = kind_of(known.kind).checked(values["config"])
        keeps_secret = kind_of(known.kind).places(config) == kind_of(known.kind).places(
            known.config
        )
        begins_anew = config != known.config
        values["config"] = orjson.dumps(config).decode()
    _check_numbers(
        values.get("schedule_minutes", known.schedule_minutes),
        values.get("history_days", known.history_days),
    )
    sets = ", ".join(
        f"{name} = cast(:{name} as jsonb)" if name == "config" else f"{name} = :{name}"
        for name in values
    )
    with engine.begin() as connection:
        connection.execute(
            text(f"update source set {sets}, next_at = now() where id = :id"), values | {"id": id}
        )
        if begins_anew:
            connection.execute(text(BEGIN_ANEW), {"id": id})
        if not keeps_secret:
            connection.execute(text(FORGOTTEN), {"id": id})
        audit.record(connection, by, "source.change", str(id), {"changed": sorted(values)})
    return keeps_secret


def delete(engine: Engine, id: int, by: str) -> None:
    """Removes a source, its secret and its cursors; what it wrote stays. Raises NoSuchSource."""
    known = find_source(engine, id)
    with engine.begin() as connection:
        connection.execute(text("delete from source where id = :id"), {"id": id})
        audit.record(connection, by, "source.delete", str(id), {"name": known.name})


def ask(engine: Engine, id: int, by: str, again_from: date | None = None) -> None:
    """Has a source run now; from a day on everything is read once more. Raises NoSuchSource."""
    find_source(engine, id)
    with engine.begin() as connection:
        connection.execute(
            text(
                "update source set next_at = now(), failures = 0,"
                " again_from = coalesce(:again, again_from) where id = :id"
            ),
            {"id": id, "again": again_from},
        )
        details = {"again_from": again_from} if again_from else {}
        audit.record(connection, by, "source.run", str(id), details)


def find_source(engine: Engine, id: int) -> StoredSource:
    """The source of that number. Raises NoSuchSource."""
    with engine.connect() as connection:
        row = connection.execute(
            text(f"select {COLUMNS} from source s where id = :id"), {"id": id}
        ).first()
    if row is None:
        raise NoSuchSource(str(id))
    return StoredSource(*row)


def list_sources(
    engine: Engine, workspaces: Sequence[int], *, organisation: bool
) -> list[StoredSource]:
    """Sources of these workspaces, and those of the organisation where they are wanted, by name."""
    query = text(
        f"select {COLUMNS} from source s where home_workspace = any(:ids)"
        " or (:organisation and home_workspace is null) order by id"
    )
    with engine.connect() as connection:
        rows = connection.execute(query, {"ids": list(workspaces), "organisation": organisation})
        return by_name((StoredSource(*row) for row in rows), lambda source: source.name)


def every_scope(connection: Connection, id: int) -> list[dict[str, Any]]:
    """Every part of a source with the workspace that it feeds, by name."""
    rows = connection.execute(
        text(
            "select c.external_id, c.name, c.state, c.matched_by, w.slug, w.name as workspace"
            " from source_scope c left join workspace w on w.id = c.into_workspace"
            " where c.source_id = :id order by c.external_id"
        ),
        {"id": id},
    )
    return by_name((dict(row) for row in rows.mappings()), lambda row: str(row["name"]))


def rules_of(connection: Connection, id: int) -> list[tuple[str, int]]:
    """Patterns of a source with the workspaces that they lead to, in order."""
    rows = connection.execute(
        text(
            "select pattern, into_workspace from source_rule where source_id = :id order by position"
        ),
        {"id": id},
    )
    return [(row.pattern, row.into_workspace) for row in rows]


def match(
    source: StoredSource, name: str, rules: Sequence[tuple[str, int]]
) -> tuple[int | None, str]:
    """The workspace that a part feeds, and the pattern that says so."""
    for pattern, target in rules:
        if fnmatch(name.lower(), pattern.lower()):
            return target, pattern
    return source.home_workspace, "" if source.home_workspace is None else "source"


def set_rules(engine: Engine, id: int, rules: Sequence[tuple[str, int]], by: str) -> None:
    """Replaces the patterns, and maps every part by them that nobody mapped by hand. Raises SourceProblem
    where a workspace may not be fed by the source, NoSuchSource."""
    source = find_source(engine, id)
    with change_mapping(engine) as connection:
        connection.execute(text("delete from source_rule where source_id = :id"), {"id": id})
        for position, (pattern, into) in enumerate(rules):
            connection.execute(
                text("insert into source_rule values (:id, :position, :pattern, :target)"),
                {"id": id, "position": position, "pattern": pattern[:200], "target": into},
            )
        for scope in every_scope(connection, id):
            if scope["matched_by"] == "hand" or scope["state"] == "gone":
                continue
            target, matched = match(source, scope["name"], rules)
            _map_part(connection, id, scope["external_id"], target, matched)
        audit.record(connection, by, "source.map", str(id), {"rules": [p for p, _ in rules]})
        connection.execute(text("update source set next_at = now() where id = :id"), {"id": id})


def map_scope(engine: Engine, id: int, external_id: str, target: int | None, by: str) -> None:
    """Maps one part by hand; None leaves it out for good. Raises as ``set_rules``."""
    find_source(engine, id)
    with change_mapping(engine) as connection:
        _map_part(connection, id, external_id, target, "hand", "ignored")
        details = {"scope": external_id, "workspace": target}
        audit.record(connection, by, "source.map", str(id), details)
        connection.execute(text("update source set next_at = now() where id = :id"), {"id": id})


FORGET = """
with moved as (
    select external_id from source_scope where source_id = :id and external_id = :external
    and into_workspace is distinct from cast(:target as bigint)
), things as (
    delete from source_item where source_id = :id and scope in (select external_id from moved)
      and not starts_with(key, 'told/')
)
delete from source_stream
where source_id = :id and exists (select from moved)
  and scope in (select external_id from moved union all select '')
"""
"""Forgets how far a part was read that is to feed another workspace, and the source as a whole, where it is
read as one: the workspace gets its history."""


def forget(connection: Connection, id: int, external_id: str, target: int) -> None:
    """Forgets how far a part was read, where it fed another workspace until now, or none."""
    values = {"id": id, "external": external_id, "target": target}
    connection.execute(text(FORGET), values)


def _map_part(
    connection: Connection,
    id: int,
    external_id: str,
    target: int | None,
    by: str,
    without: str = "new",
) -> None:
    """Has a part feed a workspace, or none; what it told elsewhere is forgotten there."""
    if target is not None:
        forget(connection, id, external_id, target)
    connection.execute(
        text(
            "update source_scope set into_workspace = :target, matched_by = :by, state = :state"
            " where source_id = :id and external_id = :external"
        ),
        {
            "id": id,
            "external": external_id,
            "target": target,
            "by": by,
            "state": without if target is None else "mapped",
        },
    )


@contextmanager
def change_mapping(engine: Engine) -> Iterator[Connection]:
    """A transaction in which a mapping that the database refuses is a SourceProblem."""
    try:
        with engine.begin() as connection:
            yield connection
    except ProgrammingError as error:
        if getattr(error.orig, "pgcode", "") != FOREIGN:
            raise
        raise SourceProblem(
            "mapping_missing",
            "The source may not write into that workspace: whoever made it has no right there.",
        ) from error
