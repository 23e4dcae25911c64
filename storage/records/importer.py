"""The import: files in, checked rows written workspace by workspace, an Outcome for each file out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from storage.context import JOB, entered, job_in
from storage.database import Database
from storage.models import workspace as workspaces
from storage.records import formats
from storage.records.batch import Row, settle
from storage.records.fields import shown
from storage.records.formats.form import Format
from storage.records.kinds import KINDS, WORKSPACE, Fault, Kind
from storage.records.reader import Raw, Reading, Unreadable
from storage.records.report import Outcome, Reject
from storage.records.seen import Seen

BATCH, PENDING = 5_000, 30_000
"""Rows of one workspace written at once; rows of all workspaces held at most."""

BLANK = " \t"
"""What does not count around a cell's content."""

Within = Callable[[int | None], AbstractContextManager[Connection]]
"""Opens a workspace's context; with None, a connection without any."""


class NoSuchWorkspace(LookupError):
    """The workspace named on the command line is not there."""


def load(
    database: Database,
    kind: Kind,
    paths: Sequence[Path],
    *,
    workspace: str | None = None,
    form: str | Format | None = None,
    strict: bool = False,
    columns: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Imports the files as the job role and says what became of each.

    ``workspace`` is the slug of the rows that name none; rows that name another are rejected.
    ``columns`` are the files' own names of our columns.
    ``strict`` keeps everything or nothing, over all files and workspaces. Raises NoSuchWorkspace,
    and sqlalchemy's OperationalError when the database is gone: whole batches stand by then, and
    to import once more does no harm.
    """
    if workspace is not None:
        workspace_id(database, workspace)
    files = [_Source(path, columns=columns or {}) for path in paths]
    if not strict:
        within = _transactions(database.job)
        return [_import(database, within, kind, file, workspace, form) for file in files]
    with database.job.connect() as connection, connection.begin() as whole:
        within = _one_transaction(connection)
        outcomes = [_import(database, within, kind, file, workspace, form) for file in files]
        if any(outcome.failed for outcome in outcomes):
            whole.rollback()
            for outcome in outcomes:
                outcome.hold()
    return outcomes


def take(database: Database, content: bytes, form: str, workspace: str) -> list[Outcome]:
    """One event of a sender as the records that it holds, an Outcome for each kind of the format;
    all or nothing. Raises NoSuchWorkspace."""
    workspace_id(database, workspace)
    source = _Source(Path("event"), content)
    with database.job.connect() as connection, connection.begin() as whole:
        within = _one_transaction(connection)
        outcomes = [
            _import(database, within, KINDS[kind], source, workspace, form)
            for kind in formats.FORMATS[form].readers
        ]
        if any(outcome.failed for outcome in outcomes):
            whole.rollback()
    return outcomes


@dataclass(frozen=True, slots=True)
class _Source:
    """Where rows come from: a file, or the content of an event."""

    path: Path
    content: bytes | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def _import(
    database: Database,
    within: Within,
    kind: Kind,
    source: _Source,
    workspace: str | None,
    form: str | Format | None,
) -> Outcome:
    """One file."""
    outcome = Outcome(source.path)
    reading = Reading(
        source.path,
        kind,
        workspace is not None,
        outcome.warnings.append,
        source.content,
        source.columns,
    )
    with Seen() as seen:
        work = _File(kind, within, _ids(database) if kind.tenant else {}, workspace, seen, outcome)
        try:
            for raw in formats.choose(kind, reading, form).readers[kind.name](reading):
                work.take(raw)
        except Unreadable as problem:
            outcome.problem = str(problem)
        work.flush_all()
    outcome.settle()
    return outcome


class _File:
    """One file's rows on their way to the tables."""

    def __init__(
        self,
        kind: Kind,
        within: Within,
        ids: dict[str, int],
        workspace: str | None,
        seen: Seen,
        outcome: Outcome,
    ) -> None:
        self._kind, self._within, self._ids, self._given = kind, within, ids, workspace
        self._seen, self._outcome = seen, outcome
        self._waiting: dict[int | None, list[Row]] = {}
        self._waiting_in_all = 0

    def take(self, raw: Raw) -> None:
        """Counts a row, and rejects it, drops it as a duplicate or puts it by for its batch."""
        self._outcome.read += 1
        if raw.fault is not None:
            return self._reject(raw, raw.fault)
        values = parse(self._kind, raw)
        if isinstance(values, Fault):
            return self._reject(raw, values)
        owner = self._owner(raw) if self._kind.tenant else None
        if isinstance(owner, Fault):
            return self._reject(raw, owner)
        row = Row(raw, values)
        before = self._seen.before((owner, row.key(self._kind)), raw.line, values)
        if before is None:
            return self._put_by(owner, row)
        line, same = before
        if not same:
            return self._reject(raw, Fault(self._kind.key[-1], _contradicts(line)))
        self._outcome.duplicates += 1
        return None

    def _owner(self, raw: Raw) -> int | Fault:
        """The id of the row's workspace."""
        named = raw.cells.get(WORKSPACE, "").strip(BLANK)
        slug = named or self._given
        if not slug:
            return Fault(WORKSPACE, "is required")
        if self._given and slug != self._given:
            return Fault(WORKSPACE, f"names {shown(slug)}, but --workspace says {self._given}")
        found = self._ids.get(slug)
        return Fault(WORKSPACE, f"no workspace {shown(slug)}") if found is None else found

    def _put_by(self, owner: int | None, row: Row) -> None:
        waiting = self._waiting.setdefault(owner, [])
        waiting.append(row)
        self._waiting_in_all += 1
        if len(waiting) >= BATCH:
            self._flush(owner)
        elif self._waiting_in_all >= PENDING:
            self.flush_all()

    def flush_all(self) -> None:
        """Writes whatever waits."""
        for owner in list(self._waiting):
            self._flush(owner)

    def _flush(self, owner: int | None) -> None:
        rows = self._waiting.pop(owner)
        self._waiting_in_all -= len(rows)
        with self._within(owner) as connection:
            done = settle(connection, self._kind, owner, rows)
        self._outcome.written += done.written
        self._outcome.unchanged += done.unchanged
        for row, fault in done.faults:
            self._reject(row.raw, fault)

    def _reject(self, raw: Raw, fault: Fault) -> None:
        column = raw.called.get(fault.column, fault.column)
        record = _named(self._kind, raw, self._given)
        self._outcome.reject(
            Reject(str(raw.file), raw.line, column, fault.reason, record, raw.place)
        )


def parse(kind: Kind, raw: Raw) -> dict[str, object] | Fault:
    """The values of the columns that the row has, or the first fault."""
    values: dict[str, object] = {}
    for column in kind.fields:
        cell = raw.cells.get(column.name, "").strip(BLANK)
        if not cell:
            if column.required and column.name not in raw.waived:
                return Fault(column.name, "is required")
            if column.name in raw.cells or column.name in kind.key:
                values[column.name] = column.default
            continue
        try:
            values[column.name] = column.parse(cell)
        except ValueError as error:
            return Fault(column.name, str(error))
    return kind.disorder(values) or values


def _contradicts(line: int) -> str:
    return f"the record stands already in line {line}, with other values"


def _named(kind: Kind, raw: Raw, given: str | None) -> str:
    """The record's workspace and key, as far as the row has them."""
    parts = [raw.cells.get(WORKSPACE) or given or ""] if kind.tenant else []
    parts += [raw.cells.get(name, "") for name in kind.key]
    return "/".join(shown(part.strip())[1:-1] for part in parts if part.strip())


def workspace_id(database: Database, slug: str) -> int:
    """The id of the workspace with that slug. Raises NoSuchWorkspace."""
    found = _ids(database).get(slug)
    if found is None:
        raise NoSuchWorkspace(f"no workspace {shown(slug)}")
    return found


def _ids(database: Database) -> dict[str, int]:
    """Slug to id, of every workspace."""
    query = select(workspaces.c.slug, workspaces.c.id)
    with database.job.connect() as connection:
        return {row.slug: row.id for row in connection.execute(query)}


def _transactions(engine: Engine) -> Within:
    """A transaction for each batch."""
    return lambda owner: engine.begin() if owner is None else job_in(engine, owner)


def _one_transaction(connection: Connection) -> Within:
    """Every batch in the one transaction, each in its workspace's context."""

    @contextmanager
    def within(owner: int | None) -> Iterator[Connection]:
        if owner is None:
            yield connection
            return
        with entered(connection, JOB, owner):
            yield connection

    return within
