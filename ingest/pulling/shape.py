"""Shape of a source: what it is, what it asks people for, and how it reads.

``pull`` yields what was read, piece by piece. Each piece carries the cursor of its stream, which is kept
with it: killed at any point, the next run goes on behind the last piece that was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ingest.formats.form import Format
from ingest.pulling.choice.counts import ChoiceCount
from ingest.pulling.client import Client
from ingest.pulling.guard import AddressGuard
from ingest.pulling.problems import SourceProblem
from ingest.pulling.wire.answers import Limits
from storage.database import Database

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """Setting of a source: its name, what it is called, its form (``text``, ``address``, ``lines``,
    ``choice``, ``number``), and help for who fills it in."""

    name: str
    label: str
    form: str = "text"
    default: str = ""
    help: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()

    def check(self, typed: str) -> str:
        """The value. Raises SourceProblem."""
        value = typed.strip()
        if wrong := self._wrong(value):
            raise SourceProblem("setting", f"{self.label} {wrong}.", f"settings.{self.name}")
        return value

    def _wrong(self, value: str) -> str:
        """Words after the setting's name that say what is wrong with a value; empty where nothing is."""
        if not value:
            return "is required" if self.required else ""
        if self.form == "choice" and value not in self.choices:
            return f"takes one of {', '.join(self.choices)}"
        if self.form == "address" and not value.startswith(("http://", "https://")):
            return "begins with https:// or http://"
        return "takes a whole number" if self.form == "number" and not value.isdecimal() else ""


@dataclass(frozen=True, slots=True)
class HistoryGrowth:
    """How the requests of a history grow with its days: a request for each ``page`` of records, read whole
    where it is no list from an instant on (``is_whole``); those of a ``span`` of days; a further one for
    each success where the setting ``beside`` is yes. Without any of them they are as many however long it
    is."""

    page: int = 0
    is_whole: bool = False
    span: int = 0
    beside: str = ""


class FoundScope(NamedTuple):
    """A part of a source that may feed a workspace; ``recent`` counts its records of the last 28 days where
    that is known."""

    external_id: str
    name: str
    recent: int | None = None


class PullScope(NamedTuple):
    """A part of a source that is mapped; its ``external_id`` is empty where a source has no parts.
    ``counts`` is what its deployments are, ``named`` which of them, of a kind that leaves a choice."""

    external_id: str
    name: str
    workspace: str
    counts: str = ""
    named: str = ""


CountedPart = tuple[PullScope, tuple[ChoiceCount, ...]]
"""A part, and how many of the last weeks it has of each thing that may be its deployments."""


@dataclass(frozen=True, slots=True)
class PulledPiece:
    """Something that was read. ``content`` is a document of the ingest format ``form``; or ``kind`` and
    ``path`` name a file of that kind, or its rows as ``form`` gives them. Without either it is the cursor
    alone.

    ``first`` is the earliest instant that it tells of, ``items`` and ``done`` things to remember for later
    requests and to forget, ``progress`` a sentence, ``after`` what else is written with the cursor.
    ``listed`` are the keys of the deployments that it lists with their beginnings; with the last piece of a
    list that is ``whole`` from an instant on, those of the whole list. ``follows`` says that its content is
    an array of JSON and the next piece is of the same list, so that both may be written at once.
    """

    scope: PullScope
    stream: str
    cursor: Cursor
    form: str | Format | None = None
    content: bytes | None = None
    kind: str = ""
    path: Path | None = None
    first: datetime | None = None
    items: Mapping[str, Any] = field(default_factory=dict)
    done: Sequence[str] = ()
    progress: str = ""
    after: Callable[[Connection, int], None] | None = None
    listed: Mapping[str, datetime] = field(default_factory=dict)
    whole: datetime | None = None
    follows: bool = False


class Remembered(Protocol):
    """Cursors and things of a source, as they were last kept."""

    def cursor(self, scope: str, stream: str) -> Cursor:
        """How far a stream was read; empty where it never was."""
        ...

    def items(self, scope: str, limit: int, begin: str = "") -> list[tuple[str, Any]]:
        """Things of a scope that are not done, those whose keys begin so, by key."""
        ...

    def items_by_key(self, scope: str, keys: Sequence[str]) -> dict[str, Any]:
        """Things of a scope by their keys, done or not, as far as they are there."""
        ...

    def keep(self, stream: str, cursor: Cursor) -> None:
        """Keeps how far a stream of the whole source was read; the scope of its cursor is empty."""
        ...


@dataclass(slots=True)
class Pull:
    """A run, as a source sees it. ``since`` is how far back history is wanted; ``budget`` tells whether the
    run is to end and another to go on."""

    settings: Mapping[str, str]
    secret: str = field(repr=False)
    scopes: Sequence[PullScope]
    since: datetime
    now: datetime
    zone: ZoneInfo
    memory: Remembered
    guard: AddressGuard
    folders: Sequence[Path]
    open_client: Callable[[str, Mapping[str, str], Limits, str], Client]
    database: Database
    notes: list[str] = field(default_factory=list)
    is_over: Callable[[], bool] = lambda: False
    clients: list[Client] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return sum(client.requests for client in self.clients)

    def client(
        self,
        base: str,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        authority: str = "",
    ) -> Client:
        """The run's client for one origin, signed in by the headers: what it learnt of the quota stays. Its
        certificate may be of an ``authority`` (PEM) of its own."""
        signing = dict(headers or {})
        for known in self.clients:
            if known.base == base and known.headers == signing:
                return known
        made = self.open_client(base, signing, limits or Limits(), authority)
        self.clients.append(made)
        return made

    def keep_time(self) -> None:
        """Takes the sender's clock for ours, once it has answered: what it has is told by its own, and a
        cursor that runs ahead of it would leave things out."""
        if self.clients:
            ahead = self.clients[0].ahead
            history = self.now - self.since
            self.now = datetime.now(UTC) + ahead
            self.since = self.now - history

    def note(self, sentence: str) -> None:
        """Tells something of the run that is no failure, once."""
        if sentence not in self.notes and len(self.notes) < 20:
            self.notes.append(sentence)


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of source. Nothing lists it: a module in ``ingest.sources`` with a ``SOURCE`` is found."""

    kind: str
    title: str
    about: str
    fills: tuple[str, ...]
    settings: tuple[Setting, ...]
    pull: Callable[[Pull], Iterator[PulledPiece]]
    test: Callable[[Pull], Sequence[str]]
    scopes: Callable[[Pull], Sequence[FoundScope]] | None = None
    credential: str = ""
    permissions: tuple[str, ...] = ()
    history: str = ""
    limits: str = ""
    minutes: int = 15
    growth: HistoryGrowth = HistoryGrowth()
    lighten: Callable[[Pull], None] | None = None
    """Leaves out of a look ahead what would take long and counts nothing."""
    choices: tuple[str, ...] = ()
    """Things that a part's deployments may be, the first that there is before the others."""
    count: Callable[[Pull, Sequence[PullScope]], Iterator[CountedPart]] | None = None
    """Counts those of the last weeks, part by part, with few requests."""

    def checked(self, config: Mapping[str, str]) -> dict[str, str]:
        """The settings as they are kept. Raises SourceProblem."""
        unknown = sorted(set(config) - {s.name for s in self.settings})
        if unknown:
            raise SourceProblem("setting", f"There is no setting {unknown[0]!r}.")
        return {s.name: s.check(config.get(s.name, s.default)) for s in self.settings}

    def places(self, config: Mapping[str, str]) -> list[tuple[str, str]]:
        """Scheme and host of each address that the settings name: whom a secret is told."""
        addresses = [config.get(s.name, "") for s in self.settings if s.form == "address"]
        return [urlsplit(each)[:2] for each in addresses]
