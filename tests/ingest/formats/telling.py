"""Bodies of senders as statements and as the records that they make, without a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aggregators.records.statements import Statement
from ingest.formats import FORMATS
from ingest.kinds import KINDS
from ingest.parsing import parse, statement
from ingest.reader import FormatInput, ListedSpan, RawRecord
from ingest.statements import Told
from ingest.words import default_meanings

RECEIVED = datetime(2026, 11, 20, tzinfo=UTC)


def meaning(about: str, word: str) -> str | None:
    """The domains' own meanings of words."""
    return default_meanings()[about](" ".join(word.split()).casefold())


def rows(
    form: str,
    kind: str,
    body: Any,
    warnings: list[str] | None = None,
    spans: list[ListedSpan] | None = None,
    **given: Any,
) -> list[RawRecord]:
    """Rows that a format reads of a body: bytes as they are, anything else as JSON; ``given`` is of the
    reading."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    warn = (warnings if warnings is not None else []).append
    lists = (spans if spans is not None else []).append
    reading = FormatInput(Path("body"), KINDS[kind], True, warn, content, lists=lists, **given)
    return list(FORMATS[form].readers[kind](reading))


def told(form: str, kind: str, body: Any, received_at: datetime = RECEIVED) -> list[Told]:
    """The statements of a body, received at an instant."""
    statements = []
    for raw in rows(form, kind, body):
        values = parse(KINDS[kind], raw)
        assert isinstance(values, dict), (raw, values)
        source = FORMATS[form].source or form
        statements.append(statement(KINDS[kind], raw, values, source, received_at))
    return statements


def one_after_another(form: str, kind: str, bodies: Iterable[Any]) -> list[Told]:
    """The statements of bodies that were received a minute apart."""
    return [
        each
        for minutes, body in enumerate(bodies)
        for each in told(form, kind, body, RECEIVED + timedelta(minutes=minutes))
    ]


def records(kind: str, statements: Sequence[Told]) -> dict[str, dict[str, Any]]:
    """The records that the statements make, by key, in the order in which they came."""
    by_identity: dict[str, list[Statement]] = {}
    for identity, each in statements:
        by_identity.setdefault(identity, []).append(each)
    made = {}
    for identity, each in by_identity.items():
        for key, folded in KINDS[kind].fold.records(identity, each, meaning).items():
            if folded.record is not None:
                made[key] = dict(folded.record)
    return made


def notes(kind: str, statements: Sequence[Told]) -> list[str]:
    """Words that could not be taken as told."""
    by_identity: dict[str, list[Statement]] = {}
    for identity, each in statements:
        by_identity.setdefault(identity, []).append(each)
    return [
        f"{note.field} {note.reason}"
        for identity, each in by_identity.items()
        for folded in KINDS[kind].fold.records(identity, each, meaning).values()
        for note in folded.notes
    ]


def at(clock: str, day: int = 10) -> datetime:
    """An instant of November 2026."""
    return datetime.fromisoformat(f"2026-11-{day:02d}T{clock}:00+00:00")


def controls(body: Any, form: str, **given: Any) -> dict[tuple[str, str], str]:
    """The results that a format reads of a body, by control and asset; every record must be a good one."""
    found = {}
    for raw in rows(form, "control-results", body, **given):
        values = parse(KINDS["control-results"], raw)
        assert isinstance(values, dict), (raw, values)
        found[values["control"], values["asset"]] = values["result"]
    return found
