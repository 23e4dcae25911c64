"""Incidents of an alert: what its senders tell of one set of labels, as intervals.

An alert is its labels without the severity. A sender tells a start while it fires and an end when it is
over. Of one sender, an earlier start moves the incident that is open; a later start is a new one and
closes what stood open, at the latest then. Told by another sender, or with another severity, it is the
same incident while the intervals overlap, from the earliest start to the latest end.

A row of a file, a correction and a merged incident name the incident by its key, the alert's and a start:
they are about the one that spans that start. A row that no interval spans is an incident by itself.

Order matters only where a sender moves its own starts: there it is the order of receipt, and within one
receipt the sender's own. A repetition of what was told is no new word, so it changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, pairwise

from aggregators.incidents.fold import INCIDENT, lend_statements
from aggregators.records.statements import (
    EVENT,
    ROW,
    Folded,
    Note,
    Statement,
    Value,
    Words,
    as_in_a_file,
    as_told,
    impossible_instant,
)

PREFIX = "alert:"
"""Beginning of the identity of an alert."""
OF_ALERT = ("starts_at", "ends_at", "sender", "severity")
"""Words about the alert, which the intervals turn into words about an incident."""

Stream = tuple[str, str]
"""A sender and the severity that it tells."""


@dataclass(slots=True)
class Interval:
    """A span in which the alert fired: its start, its end (None while it fires), the statements behind it.

    ``starts`` are all that were told for it. ``assumed``: nobody told the end; the next start closed it.
    ``over``: told as over, at an instant that can not be.
    """

    start: datetime
    end: datetime | None
    statements: list[Statement] = field(default_factory=list)
    stream: Stream = ("", "")
    starts: set[datetime] = field(default_factory=set)
    assumed: bool = False
    over: bool = False
    notes: list[Note] = field(default_factory=list)

    @property
    def fires(self) -> bool:
        """Whether nothing has ended it."""
        return self.end is None and not self.over

    def take_statement(self, statement: Statement, start: datetime) -> None:
        """Takes a statement with the start that it tells."""
        self.statements.append(statement)
        self.start = min(self.start, start)
        self.starts.add(start)

    def take_end(self, end: datetime) -> None:
        """Takes an end that was told."""
        known = self.start if self.end is None or self.assumed else self.end
        self.end, self.assumed, self.over = max(end, known), False, False


def incidents(
    identity: str, statements: Sequence[Statement], words: Words = as_told
) -> dict[str, Folded]:
    """The incidents of one alert, by key: its identity and its start."""
    named = [s for s in statements if _names_one(s)]
    wholes = _wholes(statements)
    made = {
        f"{identity.removeprefix(PREFIX)}/{as_in_a_file(whole.start)}": whole.folded_incident(
            named, words
        )
        for whole in wholes
    }
    alone = [s for s in named if not any(whole.is_meant(s) for whole in wholes)]
    for key in sorted({_key(s) for s in alone if s.manner is ROW}):
        made[key] = INCIDENT.record([s for s in alone if _key(s) == key], words)
    return made


def _wholes(statements: Sequence[Statement]) -> list[Whole]:
    unnamed = [s for s in statements if not _names_one(s)]
    return _merge_overlapping([i for stream in _streams(unnamed) for i in _of_one(stream)])


def _names_one(statement: Statement) -> bool:
    """Whether a statement is about one incident, by its key, and not about the alert."""
    return (
        statement.manner is not EVENT
        or "opened_at" in statement.assertions
        or "merged_into" in statement.assertions
        or LENT in statement.assertions
    )


def _key(statement: Statement) -> str:
    return str(statement.assertions.get("key") or "")


LENT = "acknowledged_at"
"""Field that, beside the opening, a merged incident lends."""
KEY = re.compile(r"(?P<alert>.+)/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.DOTALL)
"""Key of an alert's incident."""
LABELS = re.compile(r".*#[0-9a-f]{16}", re.DOTALL)
"""Name of an alert with the digest of its labels."""


def home(key: str) -> str:
    """Identity of the incident with a key: its alert's, where the key is that of an alert's incident."""
    match = KEY.fullmatch(key)
    return PREFIX + match["alert"] if match and LABELS.fullmatch(match["alert"]) else key


def keys_begin(identity: str) -> str | None:
    """Beginning of the keys of an alert's incidents; None where the identity is no alert."""
    return f"{identity.removeprefix(PREFIX)}/" if identity.startswith(PREFIX) else None


def lend(statements: Sequence[Statement], key: str) -> list[Statement]:
    """Statements of an alert's incident that was merged into another, as ones about that other: from its
    first sign. Of any other incident as it stands."""
    whole = next((w for w in _wholes(statements) if w.spans(key)), None)
    if whole is None:
        return lend_statements([s for s in statements if _names_one(s) and _key(s) == key], key)
    first = min((s for i in whole.intervals for s in i.statements), key=lambda s: s.order)
    sign = replace(first, assertions={"opened_at": whole.start}, sequence=0)
    return lend_statements(
        [sign, *(s for s in statements if _names_one(s) and whole.is_meant(s))], key
    )


def _stream(statement: Statement) -> Stream:
    return str(statement.assertions.get("sender") or ""), str(
        statement.assertions.get("severity") or ""
    )


def _span(statement: Statement) -> tuple[datetime | None, datetime | None]:
    """Start and end that a statement tells; an end alone ends whatever is open then."""
    start, end = statement.assertions.get("starts_at"), statement.assertions.get("ends_at")
    known = end if isinstance(end, datetime) else None
    return (start if isinstance(start, datetime) else known), known


def _streams(statements: Sequence[Statement]) -> list[list[Statement]]:
    """The statements of each stream, in the order in which they were told."""
    firsts = sorted(_first_tellings([s for s in statements if _span(s)[0]]), key=_stream)
    return [_in_order(list(each)) for _, each in groupby(firsts, key=_stream)]


def _first_tellings(statements: Sequence[Statement]) -> list[Statement]:
    """Each word once, as it was told first: a place in an archive makes no other word of it."""
    first: dict[tuple[str, str], Statement] = {}
    for statement in statements:
        words = repr((sorted(statement.assertions.items(), key=str), statement.at))
        known = first.get((statement.source, words))
        if known is None or _told_at(statement) < _told_at(known):
            first[statement.source, words] = statement
    return list(first.values())


def _told_at(statement: Statement) -> tuple[datetime, int]:
    """Place in the order in which a sender told its words: the receipt, then the place in an archive."""
    return statement.received_at, statement.sequence


def _in_order(statements: list[Statement]) -> list[Statement]:
    """By receipt, then by the sender's order; a start is told no later than the end that names it."""
    firsts: dict[datetime | None, tuple[datetime, int]] = {}
    for statement in statements:
        start, end = _span(statement)
        if end is None or end != start:
            own = _told_at(statement)
            firsts[start] = min(firsts.get(start, own), own)

    def place(statement: Statement) -> tuple[datetime, int, bool, datetime, str]:
        start, end = _span(statement)
        own = _told_at(statement)
        instant = firsts[start] if end is None and not statement.assertions.get("over") else own
        words = repr(sorted(statement.assertions.items(), key=str))
        return *instant, end is not None, statement.instant, words

    return sorted(statements, key=place)


def _of_one(statements: Sequence[Statement]) -> list[Interval]:
    """The intervals that one stream tells."""
    intervals: list[Interval] = []
    for statement in statements:
        start, end = _span(statement)
        if start is None:
            continue
        if end is not None or statement.assertions.get("over"):
            _note_end(intervals, statement, start, end)
        else:
            _note_firing(intervals, statement, start)
    for interval, later in pairwise(intervals):
        if interval.assumed:  # the start that closed it may have moved since
            interval.end = max(interval.start, later.start)
    return intervals


def _note_firing(intervals: list[Interval], statement: Statement, start: datetime) -> None:
    """Has the interval that a start belongs to take a statement; a new one closes what stood open."""
    interval = next((i for i in intervals if start in i.starts), None)
    current = intervals[-1] if intervals else None
    if interval is None and current is not None:
        if current.end is None and start > current.start:
            current.end, current.assumed = start, True
        elif current.end is None or start < current.end:
            interval = current
    if interval is None:
        interval = Interval(start, None, stream=_stream(statement))
        intervals.append(interval)
    interval.take_statement(statement, start)


def _note_end(
    intervals: list[Interval], statement: Statement, start: datetime, end: datetime | None
) -> None:
    """Has the interval that a statement belongs to take its end; a new one where it belongs to none."""
    interval = next((i for i in reversed(intervals) if start in i.starts), None)
    if interval is None:
        standing = next((i for i in reversed(intervals) if i.fires), None)
        interval = standing if standing and standing.start <= (end or start) else None
    if interval is None and end == start:
        interval = next((i for i in intervals if i.end and i.start <= start <= i.end), None)
    if interval is None:
        interval = Interval(start, None, stream=_stream(statement))
        intervals.append(interval)
    if end == start and start > interval.start:
        interval.statements.append(statement)
    else:
        interval.take_statement(statement, start)
    if end is not None and end >= start:
        interval.take_end(end)
        return
    interval.over = interval.end is None
    if end is not None:
        interval.notes.append(impossible_instant("ends_at", end, "starts_at", start))


@dataclass(slots=True)
class Whole:
    """Intervals that are one incident, because those of different streams overlap."""

    intervals: list[Interval]

    @property
    def start(self) -> datetime:
        """The earliest start."""
        return min(i.start for i in self.intervals)

    def goes_on_in(self, later: Interval) -> bool:
        """Whether an interval of another stream spans the beginning of this one."""
        return any(
            i.stream != later.stream
            and not i.over
            and (i.end is None or later.start <= i.end)
            for i in self.intervals
        )  # fmt: skip

    def folded_incident(self, named: Sequence[Statement], words: Words) -> Folded:
        """The incident, from what was told of its alert and what was told of it by its key."""
        own_statements = [_of_incident(s) for i in self.intervals for s in i.statements]
        first = min((s for i in self.intervals for s in i.statements), key=lambda s: s.order)
        span: dict[str, Value] = {"opened_at": self.start}
        ends = [i.end for i in self.intervals if i.end is not None]
        if not any(i.fires for i in self.intervals):
            span |= {"resolved_at": max(ends)} if ends else {"over": True}
        own_statements.append(
            Statement(first.source, span, first.received_at, max([self.start, *ends]))
        )
        folded = INCIDENT.record([*own_statements, *filter(self.is_meant, named)], words)
        notes = {*folded.notes, *(note for i in self.intervals for note in i.notes)}
        return Folded(folded.record, tuple(sorted(notes)))

    def is_meant(self, named: Statement) -> bool:
        """Whether what names an incident by its key is about this one."""
        return self.spans(_key(named))

    def spans(self, key: str) -> bool:
        """Whether the start in a key lies within; a key without one is about each incident."""
        ends = [i.end for i in self.intervals]
        end = max((e for e in ends if e is not None), default=None) if all(ends) else None
        try:
            meant = datetime.fromisoformat(key.rpartition("/")[2])
        except ValueError:
            return True
        return self.start <= meant and (end is None or meant <= end)


def _of_incident(statement: Statement) -> Statement:
    """Statement about the alert as one about its incident."""
    words = {name: value for name, value in statement.assertions.items() if name not in OF_ALERT}
    words.pop("over", None)
    if statement.assertions.get("severity"):
        words["gravest_severity"] = statement.assertions["severity"]
    return replace(statement, assertions=words)


def _merge_overlapping(intervals: list[Interval]) -> list[Whole]:
    """Intervals of several streams as one where they overlap, ascending by start."""
    incidents: list[Whole] = []
    for interval in sorted(intervals, key=lambda i: (i.start, i.stream)):
        if incidents and incidents[-1].goes_on_in(interval):
            incidents[-1].intervals.append(interval)
        else:
            incidents.append(Whole([interval]))
    return incidents


def _split_alert(identity: str, statements: Sequence[Statement], words: Words) -> dict[str, Folded]:
    """Incidents of an alert's statements by their keys; of any other identity its one incident."""
    if identity.startswith(PREFIX):
        return incidents(identity, statements, words)
    return {identity: INCIDENT.record(statements, words)}


def parts(identity: str, statements: Sequence[Statement]) -> dict[str, Sequence[Statement]]:
    """Statements about each incident of an identity, by the incident's key."""
    if not identity.startswith(PREFIX):
        return {identity: statements}
    named = [s for s in statements if _names_one(s)]
    return {
        f"{identity.removeprefix(PREFIX)}/{as_in_a_file(whole.start)}": [
            *(s for i in whole.intervals for s in i.statements),
            *filter(whole.is_meant, named),
        ]
        for whole in _wholes(statements)
    }


FOLD = replace(
    INCIDENT, split=_split_alert, home=home, keys_begin=keys_begin, lend=lend, parts=parts
)
"""Fold of incidents, those that alerts make among them."""
