"""A look ahead at a source that is not connected yet: the last weeks are read as a sync reads them, within
bounds of requests and time, and told without being kept."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatch
from typing import Any

from ingest.desk.seen_words import SeenWord
from ingest.pulling import runner
from ingest.pulling.ahead import choosing
from ingest.pulling.ahead.choosing import Counts
from ingest.pulling.ahead.estimate import HistoryEstimate, PartSeen, Sight, estimate
from ingest.pulling.ahead.rehearsal import (
    MOST_BYTES,
    RehearsalOutcome,
    RehearsedPiece,
    RehearsedRecords,
    read_whole,
    rehearse,
)
from ingest.pulling.catalogue import kind_of
from ingest.pulling.choice.counts import ChoiceCount, first_of, is_automatic
from ingest.pulling.problems import SourceProblem, SourceWaits
from ingest.pulling.runner import SourceContext
from ingest.pulling.shape import Cursor, FoundScope, Pull, PulledPiece, PullScope, Source
from ingest.pulling.wire.allowance import Allowance, Enough
from ingest.pulling.wire.answered import of_answers, read_from

DAYS, HISTORIES = 28, (28, 90, 400)
NOTES, WORDS = 10, 50
LISTING, READING, SECONDS = 200, 60, 25.0
"""Requests of the test and the list of parts, those of the reading, and seconds of it all."""
CUT = (
    f"Not all of the last {DAYS} days was looked at: a look ahead ends after {READING} requests or"
    f" {SECONDS:g} seconds."
)


class DraftMemory:
    """Cursors and things of a look ahead, kept for as long as it lasts."""

    def __init__(self) -> None:
        self._cursors: dict[tuple[str, str], Cursor] = {}
        self._items: dict[str, dict[str, Any]] = {}

    def cursor(self, scope: str, stream: str) -> Cursor:
        """How far a stream was read."""
        return dict(self._cursors.get((scope, stream), {}))

    def items(self, scope: str, limit: int, begin: str = "") -> list[tuple[str, Any]]:
        """Things of a scope, those whose keys begin so, by key."""
        every = sorted(self._items.get(scope, {}).items())
        return [(key, data) for key, data in every if key.startswith(begin)][:limit]

    def items_by_key(self, scope: str, keys: Sequence[str]) -> dict[str, Any]:
        """Things of a scope by their keys, as far as they are there."""
        items = self._items.get(scope, {})
        return {key: items[key] for key in keys if key in items}

    def keep(self, stream: str, cursor: Cursor) -> None:
        """Keeps how far a stream of the whole source was read."""
        self._cursors["", stream] = cursor

    def note(self, piece: PulledPiece) -> None:
        """Keeps what a piece says."""
        scope = piece.scope.external_id
        self._cursors[scope, piece.stream] = piece.cursor
        known = self._items.setdefault(scope, {})
        known.update(piece.items)
        for key in piece.done:
            known.pop(key, None)


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """A part of the source: the workspace that it would feed, empty for none, how many records of the last
    weeks it has, None where it was not looked at, and what its deployments would be, by what was counted;
    ``first`` is what that says, ``words`` what it is."""

    name: str
    workspace: str
    recent: int | None
    id: str = ""
    words: str = ""
    first: ChoiceCount | None = None
    counts: Sequence[ChoiceCount] = ()


@dataclass(frozen=True, slots=True)
class SourcePreview:
    """Outcome of a look. ``counting`` + in no figure + refused = ``read``, of which ``known`` are there
    already; ``words`` are those of the sender that decide what counts, with what each would mean;
    ``estimates`` are of histories of several lengths; ``choices`` are what the deployments of each part
    may be, where each has its own."""

    tested: Sequence[str]
    since: datetime
    parts: Sequence[PreviewPart]
    as_of: str
    read: int
    counting: int
    known: int
    refused: int
    in_no_figure: Mapping[str, int]
    refusals: Sequence[str]
    words: Sequence[SeenWord]
    notes: Sequence[str]
    requests: int
    estimates: Sequence[HistoryEstimate]
    choices: Sequence[str] = ()


@dataclass(slots=True)
class _Look:
    """A look while it goes on; ``recent`` are records of the last weeks by part, where they are
    listed, ``before`` the requests that were made before it."""

    before: int
    begin: float
    seconds: float = 0.0
    requests: int = 0
    notes: list[str] = field(default_factory=list)
    pieces: list[RehearsedPiece] = field(default_factory=list)
    first: dict[str, datetime] = field(default_factory=dict)
    recent: dict[str, set[str]] = field(default_factory=dict)
    successes: dict[str, int] = field(default_factory=dict)
    seen: dict[str, None] = field(default_factory=dict)
    repeats: set[bytes] = field(default_factory=set)
    size: int = 0
    is_cut: bool = False

    def take(self, piece: PulledPiece, since: datetime) -> None:
        """Takes a piece. Raises Enough where they become too large."""
        part = piece.scope.external_id
        self.seen.setdefault(part)
        if piece.first is not None:
            self.first[part] = min(piece.first, self.first.get(part, piece.first))
        if piece.listed:
            recent = {key for key, at in piece.listed.items() if at >= since}
            self.recent[part] = self.recent.get(part, set()) | recent
        ended = sum(key.startswith("ok/") for key in piece.items)
        self.successes[part] = self.successes.get(part, 0) + ended
        kept = read_whole(piece, self.repeats)
        if kept is None:
            return
        self.notes += kept.notes[: max(0, NOTES - len(self.notes))]
        self.pieces.append(kept)
        self.size += len(kept.content)
        if self.size > MOST_BYTES:
            raise Enough


@dataclass(frozen=True, slots=True)
class PreviewTarget:
    """Where it would write: the workspace of its own, empty for the organisation's source; patterns with
    the workspaces that what they match feeds, in order; and the workspace by whose words it is read while
    nothing is mapped; and what the deployments of parts are to be, where somebody chose."""

    home: str = ""
    rules: Sequence[tuple[str, str]] = ()
    otherwise: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """The workspace that a part would feed, empty for none."""
        fitting = (slug for pattern, slug in self.rules if fnmatch(name.lower(), pattern.lower()))
        return next(fitting, self.home)

    def scopes(self, parts: Sequence[FoundScope] | None) -> tuple[list[PullScope], str]:
        """Parts as they would be read, and by whose words where nothing is mapped."""
        if parts is None:
            return [PullScope("", "", self.home)], ""
        every = [PullScope(p.external_id, p.name, self.of(p.name)) for p in parts]
        mapped = sorted((each for each in every if each.workspace), key=lambda each: each.name)
        if mapped or not every:
            return mapped, ""
        return [each._replace(workspace=self.otherwise) for each in every], self.otherwise


def preview(
    context: SourceContext,
    kind: str,
    config: Mapping[str, str],
    secret: str,
    target: PreviewTarget,
    days: int,
) -> SourcePreview:
    """A look at the source as it would be connected, with a history of so many days. Raises
    SourceProblem."""
    allowance = Allowance(LISTING, SECONDS)
    pull = runner.draft(context, kind, config, secret, allowance)
    shape, memory = kind_of(kind), DraftMemory()
    pull.memory, compares = memory, pull.settings.get(shape.growth.beside) == "yes"
    tested, parts, listing = _test_and_list_parts(pull, shape)
    pull.scopes, as_of = target.scopes(parts)
    pull.keep_time()
    pull.is_over = lambda: allowance.left <= 0
    (shape.lighten or (lambda _: None))(pull)
    counts, notes = choosing.count_choices(pull, shape, pull.scopes)
    pull.scopes = choosing.as_chosen(pull, shape, pull.scopes, counts, target.choices)
    allowance.requests = READING
    look = _Look(pull.requests, time.monotonic())
    _read_pieces(pull, shape, memory, look)
    rehearsal = rehearse(context.database, look.pieces)
    sight = _sight(pull, look, rehearsal, listing)
    return SourcePreview(
        tested=tested,
        since=min([pull.since, *look.first.values()]),
        parts=_parts(_parts_with_counts(parts or (), pull, counts), target, look, rehearsal),
        as_of=as_of,
        **_counts_document(rehearsal.whole),
        refusals=rehearsal.refusals,
        words=list(rehearsal.words.values())[:WORDS],
        notes=[*notes, *pull.notes, *look.notes, *([CUT] if look.is_cut else [])],
        requests=pull.requests,
        estimates=[estimate(sight, shape.growth, d, compares) for d in sorted({*HISTORIES, days})],
        choices=shape.choices if is_automatic(shape.choices, pull.settings) else (),
    )


def _counts_document(records: RehearsedRecords) -> dict[str, Any]:
    """Counts of records, with the most frequent reasons first."""
    reasons = sorted(records.in_no_figure.items(), key=lambda each: -each[1])
    return {
        "read": records.records + records.refused,
        "counting": records.counting,
        "known": records.records - records.fresh,
        "refused": records.refused,
        "in_no_figure": dict(reasons),
    }


def _test_and_list_parts(
    pull: Pull, shape: Source
) -> tuple[list[str], Sequence[FoundScope] | None, int]:
    """Sentences of the test, the parts, and the requests of their list. Raises SourceProblem."""
    try:
        with of_answers():
            tested = list(shape.test(pull))
            before = pull.requests
            parts = shape.scopes(pull) if shape.scopes else None
    except Enough:
        raise SourceProblem("unreachable", runner.TOO_SLOW) from None
    return tested, parts, pull.requests - before


def _read_pieces(pull: Pull, shape: Source, memory: DraftMemory, look: _Look) -> None:
    """Reads until there is nothing more, or enough."""
    try:
        for piece in read_from(shape.pull(pull)):
            memory.note(piece)
            look.take(piece, pull.since)
    except Enough:
        look.is_cut = True
    except SourceWaits as wait:
        look.is_cut = True
        look.notes.append(str(wait))
    look.is_cut = look.is_cut or pull.is_over()
    look.seconds, look.requests = time.monotonic() - look.begin, pull.requests - look.before


def _sight(pull: Pull, look: _Look, outcome: RehearsalOutcome, listing: int) -> Sight:
    """Measure of the look, for the estimate."""
    parts = []
    for number, id in enumerate(look.seen, 1):
        first = look.first.get(id, pull.since)
        is_short = look.is_cut and number == len(look.seen)
        days = (pull.now - (first if is_short else min(first, pull.since))) / timedelta(days=1)
        read = outcome.parts[id].records if id in outcome.parts else 0
        parts.append(PartSeen(read, max(days, 0.5), look.successes.get(id, 0)))
    quotas = [(c.quota, c.limits.window) for c in pull.clients if c.quota is not None]
    quota, window = quotas[0] if quotas else (None, 0.0)
    a_request = look.seconds / max(look.requests, 1)
    a_record = outcome.seconds / max(outcome.whole.records, 1)
    number = max(len(pull.scopes), len(parts))
    return Sight(parts, number, DAYS, listing, look.requests, a_request, a_record, quota, window)


PartCounts = tuple[FoundScope, PullScope | None, Sequence[ChoiceCount]]


def _parts_with_counts(parts: Sequence[FoundScope], pull: Pull, counts: Counts) -> list[PartCounts]:
    """Parts by their names, each as it would be read and with what was counted of it."""
    read = {scope.external_id: scope for scope in pull.scopes}
    ordered = sorted(parts, key=lambda each: each.name)
    return [(p, read.get(p.external_id), counts.get(p.external_id, ())) for p in ordered]


def _parts(
    parts: Sequence[PartCounts], target: PreviewTarget, look: _Look, outcome: RehearsalOutcome
) -> list[PreviewPart]:
    """Parts with what they would feed and how many records of the last weeks they have."""
    shown = []
    for part, scope, counts in parts:
        id = part.external_id
        number = len(look.recent[id]) if id in look.recent else part.recent
        if number is None and id in look.seen:
            number = outcome.parts[id].records if id in outcome.parts else 0
        words = choosing.words_of(scope) if scope else ""
        workspace = target.of(part.name)
        shown.append(PreviewPart(part.name, workspace, number, id, words, first_of(counts), counts))
    return shown
