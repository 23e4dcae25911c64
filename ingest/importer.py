"""The import: files in, checked rows written workspace by workspace, an ImportOutcome for each file out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, select

from aggregators.records.kinds import Fault, RecordKind
from aggregators.vocabulary.fields import printable
from ingest import formats, words
from ingest.collector import rarely_collected
from ingest.formats.form import Format
from ingest.kinds import KINDS, WORKSPACE
from ingest.lists.retirement import retire
from ingest.lists.whole_lists import RESULTS, WholeList, newest
from ingest.parsing import BLANK, Values, parse, statement, workspace_and_key
from ingest.reader import FormatInput, ListedSpan, RawRecord, UnreadableFile, until_hopeless
from ingest.records import SEPARATOR, why_unlinked, write_workspaces
from ingest.report import ImportOutcome, RejectedRow
from ingest.statements import Told, tell
from storage.bounds import statistics
from storage.context import JOB, NoSuchWorkspace, enter, job_in
from storage.database import Database
from storage.tables import workspace as workspaces

BATCH, PENDING = 2_500, 20_000
"""Rows of one workspace written at once; rows of all workspaces held at most."""

Within = Callable[[int | None], AbstractContextManager[Connection]]
"""Opens a workspace's context; with None, a connection without any."""


def load(
    database: Database,
    kind: RecordKind,
    paths: Sequence[Path],
    *,
    workspace: str | None = None,
    form: str | Format | None = None,
    strict: bool = False,
    columns: Mapping[str, str] | None = None,
    tags: str = "",
    zone: tzinfo = UTC,
    zone_given: bool = False,
    password: str = "",
    as_deliveries: bool = False,
    is_whole: bool = False,
) -> list[ImportOutcome]:
    """Imports the files as the job role and says what became of each.

    ``workspace`` is the slug of rows that name none; those that name another are rejected. ``columns`` are
    the files' names of our columns, ``tags`` is the pattern of tags that are releases, ``password`` opens
    files that ask for one. ``zone`` is that of instants without an offset, in CSV where
    it was given. ``strict`` keeps everything or nothing, over all files and workspaces. ``as_deliveries``:
    a file is a delivery of its own, which ``ingest.door.imports`` notes. ``is_whole``: the files list all
    there is. Raises NoSuchWorkspace, and sqlalchemy's OperationalError when the database is gone: whole
    batches stand by then, and to import once more does no harm.
    """
    if workspace is not None:
        workspace_id(database, workspace)
    files = [
        _ImportSource(path, None, columns or {}, tags, zone, zone_given, password) for path in paths
    ]
    at, ids = datetime.now(UTC), _ids(database) if kind.tenant else {}

    def import_within(within: Within) -> list[ImportOutcome]:
        receipts = (Receipt(at, uuid4() if as_deliveries else None, None, is_whole) for _ in files)
        return [_import(within, kind, file, workspace, form, next(receipts), ids) for file in files]

    with rarely_collected():
        return _import_in_transactions(database, import_within, strict)


def _import_in_transactions(
    database: Database, imported: Callable[[Within], list[ImportOutcome]], strict: bool
) -> list[ImportOutcome]:
    """Imports, a transaction for each batch; or in one, which stands only where nothing was rejected."""
    if not strict:
        outcomes = imported(_transactions(database.job))
    else:
        with database.job.connect() as connection, connection.begin() as whole:
            outcomes = imported(_one_transaction(connection))
            if any(outcome.failed for outcome in outcomes):
                whole.rollback()
                for outcome in outcomes:
                    outcome.withhold()
    statistics.keep_up(database.job, sum(outcome.read for outcome in outcomes))
    return outcomes


def take(
    connection: Connection,
    workspace_id: int,
    form: str,
    content: bytes,
    content_type: str,
    receipt: Receipt,
) -> Iterator[tuple[str, ImportOutcome]]:
    """A delivery as the records that it holds, within the transaction in its workspace's job context: an
    outcome for each kind of the format that has any. What is good of it is told."""
    source = _ImportSource(Path("delivery"), formats.unwrap_form(content, content_type))
    for kind in formats.FORMATS[form].readers:
        ids = {"": workspace_id}
        outcome = _import(_context_at_hand(connection), KINDS[kind], source, "", form, receipt, ids)
        yield kind, outcome


def take_rows(
    connection: Connection,
    owner: tuple[str, int],
    kind: RecordKind,
    rows: Format,
    receipt: Receipt,
) -> ImportOutcome:
    """Rows that somebody has read, within the transaction in the job context of their workspace (slug and
    id)."""
    source = _ImportSource(Path(rows.name), b"")
    return _import(
        _context_at_hand(connection), kind, source, owner[0], rows, receipt, dict([owner])
    )


def _context_at_hand(connection: Connection) -> Within:
    """Everything in the one transaction, and in the context that it is in."""
    return lambda _owner: nullcontext(connection)


@dataclass(frozen=True, slots=True)
class _ImportSource:
    """File that rows come from, or the content of an event."""

    path: Path
    content: bytes | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    zone: tzinfo = UTC
    zone_given: bool = False
    password: str = field(default="", repr=False)

    def reading(
        self,
        kind: RecordKind,
        names_workspace: bool,
        warn: Callable[[str], None],
        span: Callable[[ListedSpan], None],
    ) -> FormatInput:
        """The file or content as a format reads it."""
        return FormatInput(
            self.path,
            kind,
            names_workspace,
            warn,
            self.content,
            self.columns,
            self.tags,
            span,
            self.zone,
            self.zone_given,
            self.password,
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """When rows were received, and with which delivery; ``told_of`` is called with the statements of each
    batch; ``is_whole`` where they are said to list all there is."""

    at: datetime
    delivery: UUID | None = None
    told_of: Callable[[RecordKind, Sequence[Told]], None] | None = None
    is_whole: bool = False


def _import(
    within: Within,
    kind: RecordKind,
    source: _ImportSource,
    workspace: str | None,
    form: str | Format | None,
    receipt: Receipt,
    ids: dict[str, int],
) -> ImportOutcome:
    """Imports one file; what came of it, and of its lists."""
    outcome = ImportOutcome(source.path, delivery=receipt.delivery, received_at=receipt.at)
    if workspace in ids:
        outcome.part(ids[workspace])
    spans: list[ListedSpan] = []
    reading = source.reading(kind, workspace is not None, outcome.warnings.append, spans.append)
    work = None
    try:
        chosen = formats.recognise_format(kind, reading, form)
        outcome.format = chosen.name
        work = _File(kind, within, ids, workspace, chosen.source or chosen.name, outcome, receipt)
        for raw in until_hopeless(chosen.readers[kind.name](reading)):
            work.take(raw)
        if not outcome.read and source.content is None:
            outcome.problem = ": ".join([f"holds no {kind.name}", *outcome.warnings[:1]])
    except UnreadableFile as problem:
        outcome.problem = str(problem)
    if work is not None:
        try:
            work.flush_all()
        except UnreadableFile as problem:
            outcome.problem = str(problem)
        if not outcome.problem:
            work.retire(spans)
    outcome.settle()
    return outcome


class _File:
    """Rows of a file on their way to the tables."""

    def __init__(
        self,
        kind: RecordKind,
        within: Within,
        ids: dict[str, int],
        workspace: str | None,
        source: str,
        outcome: ImportOutcome,
        receipt: Receipt,
    ) -> None:
        self._kind, self._within, self._ids, self._given = kind, within, ids, workspace
        self._source, self._outcome, self._receipt = source, outcome, receipt
        self._waiting: dict[int | None, list[tuple[RawRecord, Values]]] = {}
        self._waiting_in_all = 0

    def take(self, raw: RawRecord) -> None:
        """Counts a row, and rejects it or puts it by for its batch."""
        self._outcome.read += 1
        if raw.fault is not None:
            return self._reject(raw, raw.fault)
        values = self._parse_or_lose(raw)
        if isinstance(values, Fault):
            return self._reject(raw, values)
        owner = self._owner(raw) if self._kind.tenant else None
        if isinstance(owner, Fault):
            return self._reject(raw, owner)
        return self._put_by(owner, raw, values)

    def _parse_or_lose(self, raw: RawRecord) -> Values | Fault:
        """The values of a row. An event loses what can not be read and need not be told; it is told."""
        values = parse(self._kind, raw)
        while raw.event and isinstance(values, Fault) and values.column in self._losable:
            name = workspace_and_key(self._kind, raw, self._given)
            self._lose(raw, f"{name}: {values.column} {values.reason}")
            cells = {name: cell for name, cell in raw.cells.items() if name != values.column}
            raw = raw._replace(cells=cells)
            values = parse(self._kind, raw)
        return values

    def _lose(self, raw: RawRecord, sentence: str) -> None:
        """Tells what is lost of a row."""
        owner = self._owner(raw)
        self._outcome.warnings.append(sentence)
        if isinstance(owner, int):
            self._outcome.part(owner).warnings.append(sentence)

    @property
    def _losable(self) -> set[str]:
        return {f.name for f in (*self._kind.fields, *self._kind.told)} - {*self._kind.key}

    def _owner(self, raw: RawRecord) -> int | Fault:
        """The id of the row's workspace."""
        named = raw.cells.get(WORKSPACE, "").strip(BLANK)
        slug = named or self._given
        if slug is None or (not slug and "" not in self._ids):
            return Fault(WORKSPACE, "is required")
        if self._given and slug != self._given:
            return Fault(WORKSPACE, f"names {printable(slug)}, but --workspace says {self._given}")
        owner = self._ids.get(slug)
        return Fault(WORKSPACE, f"no workspace {printable(slug)}") if owner is None else owner

    def _put_by(self, owner: int | None, raw: RawRecord, values: Values) -> None:
        waiting = self._waiting.setdefault(owner, [])
        waiting.append((raw, values))
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
        batch = ImportOutcome(self._outcome.file)
        with self._within(owner) as connection:
            if owner is None:
                new = write_workspaces(connection, [values for _, values in rows])
            else:
                new = self._tell(connection, owner, rows, batch)
            statistics.count_changes(connection, len(rows))
        batch.written, batch.unchanged = sum(new), len(new) - sum(new)
        self._outcome.add(owner, batch)

    def _tell(
        self,
        connection: Connection,
        owner: int,
        rows: Sequence[tuple[RawRecord, Values]],
        batch: ImportOutcome,
    ) -> list[bool]:
        """Tells the rows, and the outcome of the batch what became of them."""
        statements = [
            statement(self._kind, raw, values, self._source, self._receipt.at)
            for raw, values in rows
        ]
        for source, began in newest(self._kind, statements):
            self._outcome.note_listed((owner, source), began)
        if self._receipt.is_whole and self._kind.name == RESULTS:
            self._outcome.note_assets(owner, statements)
        meanings = words.of_workspace(connection, owner)
        telling = tell(connection, self._kind, owner, statements, meanings, self._receipt.delivery)
        batch.tell_of(statements, telling.new)
        if self._receipt.told_of is not None:
            self._receipt.told_of(self._kind, statements)
        for identity, notes in sorted(telling.notes.items()):
            name = identity.replace(SEPARATOR, "/")
            batch.warnings += [f"{name}: {note.field} {note.reason}" for note in notes]
        for reason, count in telling.uncounted.items():
            batch.leave_out(reason, count)
        for reason, count in why_unlinked(connection, self._kind, owner, [v for _, v in rows]):
            batch.leave_out(reason, count)
        return telling.new

    def retire(self, spans: Sequence[ListedSpan]) -> None:
        """Withdraws what its source told before and lists no more, within the spans of the file."""
        if spans and self._outcome.rejected:
            self._outcome.warnings.append("withdraws nothing: a part of the list could not be read")
            return
        for span in spans:
            whole = WholeList(span.source, self._receipt.at, span.since, span.until)
            for owner, source in self._outcome.listed:
                if source == span.source:
                    self._retire(owner, whole)

    def _retire(self, owner: int, whole: WholeList) -> None:
        with self._within(owner) as connection:
            meanings = words.of_workspace(connection, owner)
            lacked, telling = retire(connection, self._kind, owner, whole, meanings)
        batch = ImportOutcome(self._outcome.file, uncounted=telling.uncounted)
        batch.warnings = [f"{i}: is not in the list any more, so it is withdrawn" for i in lacked]
        self._outcome.add(owner, batch)

    def _reject(self, raw: RawRecord, fault: Fault) -> None:
        column = raw.called.get(fault.column, fault.column)
        record = workspace_and_key(self._kind, raw, self._given)
        row = RejectedRow(str(raw.file), raw.line, column, fault.reason, record, raw.pointer)
        self._outcome.reject(row)
        owner = self._owner(raw) if self._kind.tenant else None
        if isinstance(owner, int):
            part = self._outcome.part(owner)
            part.read += 1
            part.reject(row)


def workspace_id(database: Database, slug: str) -> int:
    """The id of the workspace with that slug. Raises NoSuchWorkspace."""
    workspace = _ids(database).get(slug)
    if workspace is None:
        raise NoSuchWorkspace(f"no workspace {printable(slug)}")
    return workspace


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
        with enter(connection, JOB, owner):
            yield connection

    return within
