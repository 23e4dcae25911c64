"""Records of a look ahead, told as a sync tells them, in a transaction that is taken back: what would be
written, refused, in no figure is what the very code of the sync says, and nothing of it stays."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import orjson
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from aggregators.records.kinds import RecordKind
from ingest import formats
from ingest.desk.seen_words import SeenWord, seen_in
from ingest.formats.form import Format
from ingest.importer import Receipt, take, take_rows, workspace_id
from ingest.kinds import KINDS
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import PulledPiece
from ingest.reader import FormatInput, RawRecord, UnreadableFile
from ingest.report import ImportOutcome
from ingest.statements import Told
from storage.context import JOB, enter
from storage.database import Database

log = logging.getLogger("vigilo.sources")

MOST_ROWS, MOST_BYTES = 5_000, 64 * 1024 * 1024
"""Rows of a file that are looked at; bytes of documents that are kept for it."""
BUSY = "Records of the workspace are being written just now; try again in a moment."


@dataclass(slots=True)
class RehearsedPiece:
    """A piece as it is kept until all are told: a document, or rows of a kind."""

    part: str
    workspace: str
    form: str = ""
    content: bytes = b""
    kind: str = ""
    rows: list[RawRecord] = field(default_factory=list)
    source: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class RehearsedRecords:
    """Records by what would become of them: ``records`` would be kept, of which ``fresh`` are new or told
    anew and others in no figure, by reason."""

    records: int = 0
    fresh: int = 0
    refused: int = 0
    in_no_figure: dict[str, int] = field(default_factory=dict)

    @property
    def counting(self) -> int:
        """Records that would be in a figure."""
        return max(self.records - sum(self.in_no_figure.values()), 0)

    def add(self, outcome: ImportOutcome) -> None:
        """Adds what would become of some."""
        self.records += outcome.records
        self.fresh += outcome.fresh
        self.refused += outcome.rejected + bool(outcome.problem)
        for reason, count in outcome.uncounted.items():
            self.in_no_figure[reason] = self.in_no_figure.get(reason, 0) + count


@dataclass(slots=True)
class RehearsalOutcome:
    """Outcome of it all, that of each part, and why the first ones were refused."""

    whole: RehearsedRecords = field(default_factory=RehearsedRecords)
    parts: dict[str, RehearsedRecords] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    words: dict[tuple[str, str, str | None], SeenWord] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, part: str, outcome: ImportOutcome) -> None:
        """Adds what would become of some records of a part."""
        for each in (self.whole, self.parts.setdefault(part, RehearsedRecords())):
            each.add(outcome)
        problems = [str(reject.without_folder) for reject in outcome.rejects]
        problems += [f"{outcome.file.name}: {outcome.problem}"] if outcome.problem else []
        self.refusals += problems[: max(0, REFUSALS - len(self.refusals))]

    def add_words(self, words: Iterable[SeenWord]) -> None:
        """Adds the words of a workspace; one that means another thing elsewhere is another word."""
        for word in words:
            name = (word.about, word.word, word.meaning)
            known = self.words.setdefault(name, replace(word, records=0, in_no_figure={}))
            known.fell(word.counted, None)
            for reason, count in word.in_no_figure.items():
                known.fell(count, reason)


REFUSALS = 5
ToldRecords = dict[int, dict[str, set[str]]]
"""Identities of the records that were told of, by workspace and kind."""


def read_whole(piece: PulledPiece, seen: set[bytes]) -> RehearsedPiece | None:
    """A piece with all that it would have read later and that was not ``seen`` before; None for a cursor
    alone."""
    kept = RehearsedPiece(piece.scope.external_id, piece.scope.workspace)
    if piece.content is not None:
        kept.form, kept.content = str(piece.form), without_repeats(piece.content, seen)
        return kept if kept.content else None
    if not piece.kind:
        return None
    kept.kind = piece.kind
    kind, path = KINDS[piece.kind], piece.path or Path(piece.kind)
    reading = FormatInput(path, kind, True, kept.notes.append)
    try:
        chosen = formats.recognise_format(kind, reading, piece.form)
        kept.source = chosen.source or chosen.name
        kept.rows = list(islice(chosen.readers[kind.name](reading), MOST_ROWS))
    except UnreadableFile as problem:
        kept.notes.append(f"{path.name}: {problem}")
    return kept


def without_repeats(content: bytes, seen: set[bytes]) -> bytes:
    """An array of JSON without what was in another one before: pages overlap."""
    if not content.lstrip().startswith(b"["):
        return content
    fresh = []
    for each in orjson.loads(content):
        digest = hashlib.sha256(orjson.dumps(each)).digest()
        if digest not in seen:
            seen.add(digest)
            fresh.append(each)
    return orjson.dumps(fresh) if fresh else b""


def rehearse(database: Database, pieces: list[RehearsedPiece]) -> RehearsalOutcome:
    """Tells the pieces and takes it back; returns what would become of them. Raises SourceProblem where
    others write the same records."""
    made, begin = RehearsalOutcome(), time.monotonic()
    ids = {piece.workspace: workspace_id(database, piece.workspace) for piece in pieces}
    try:
        with database.job.connect() as connection, connection.begin() as whole:
            try:
                connection.execute(text("set local lock_timeout = '3s'"))
                _tell_pieces(connection, pieces, ids, made)
            finally:
                whole.rollback()
    except OperationalError as error:
        log.warning("a look ahead could not be told", exc_info=error)
        raise SourceProblem("unreachable", BUSY) from error
    made.seconds = time.monotonic() - begin
    return made


def _tell_pieces(
    connection: Connection,
    pieces: list[RehearsedPiece],
    ids: Mapping[str, int],
    made: RehearsalOutcome,
) -> None:
    told_of: ToldRecords = {}
    for piece in pieces:
        id = ids[piece.workspace]
        with enter(connection, JOB, id), connection.begin_nested():
            for outcome in _outcomes(connection, piece, id, told_of.setdefault(id, {})):
                made.add(piece.part, outcome)
    for id, records in told_of.items():
        with enter(connection, JOB, id):
            made.add_words(seen_in(connection, id, records))


def _outcomes(
    connection: Connection,
    piece: RehearsedPiece,
    workspace: int,
    told_of: dict[str, set[str]],
) -> Iterator[ImportOutcome]:
    """Outcomes of telling a piece; which records it told of is added to ``told_of`` by kind."""

    def note(kind: RecordKind, statements: Sequence[Told]) -> None:
        told_of.setdefault(kind.name, set()).update(each.identity for each in statements)

    receipt = Receipt(datetime.now(UTC), told_of=note)
    if not piece.kind:
        outcomes = take(
            connection, workspace, piece.form, piece.content, "application/json", receipt
        )
        yield from (outcome for _, outcome in outcomes)
        return

    def rows(_: FormatInput) -> Iterator[RawRecord]:
        yield from piece.rows

    form = replace(Format("rows", {piece.kind: rows}), source=piece.source)
    yield take_rows(connection, (piece.workspace, workspace), KINDS[piece.kind], form, receipt)
