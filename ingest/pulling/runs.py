"""Runs of sources in PostgreSQL: claimed with a lease, told of while they last, ended with a reason.

Beside its lease a run holds a lock that ends with its connection: a process that is stopped or killed gives
its sources back at once, whichever host it ran on. The lease is for one whose host fell silent, and fences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from ingest.pulling.store import COLUMNS, StoredSource
from storage.scheduled.lock import CLASS, only_process

LEASE = timedelta(minutes=2)
"""Time that a run is believed to live without a sign; it gives one with each piece, and between them."""
LONGEST_BACK_OFF = timedelta(hours=6)


class RunLost(RuntimeError):
    """The source is another run's by now, or gone."""


@dataclass(slots=True)
class RunCounts:
    """Counts of a run: read = written + unchanged + refused."""

    requests: int = 0
    read: int = 0
    written: int = 0
    unchanged: int = 0
    refused: int = 0
    uncounted: dict[str, int] = field(default_factory=dict)
    progress: str = ""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the log has it."""

    id: int
    state: str
    started_at: datetime
    finished_at: datetime | None
    requests: int
    read: int
    written: int
    unchanged: int
    refused: int
    uncounted: Mapping[str, int]
    progress: str
    error_code: str
    message: str


CLAIM = f"""
update source s set lease_until = now() + :lease, attempt = attempt + 1
where id = (select id from source
            where enabled and next_at <= now()
              and (lease_until is null or lease_until < now() or not exists (
                select from pg_locks l join pg_database d on d.oid = l.database
                where d.datname = current_database() and l.locktype = 'advisory' and l.objsubid = 2
                  and l.classid::bigint = :class and l.granted
                  and l.objid::bigint = hashtext('source ' || id || ' ' || attempt)::bigint & 4294967295))
              and (cast(:only as bigint) is null or id = :only)
            order by next_at for update skip locked limit 1)
returning {COLUMNS}
"""


@contextmanager
def claim_due(engine: Engine, only: int | None = None) -> Iterator[tuple[StoredSource, int] | None]:
    """The source that is due for the longest, or that one where it is due, and the run that begins, which
    nobody else begins until the block ends; None where none is."""
    alive = ExitStack()
    try:
        yield _claim(engine, only, alive)
    finally:
        with suppress(OperationalError):
            alive.close()


def _claim(engine: Engine, only: int | None, alive: ExitStack) -> tuple[StoredSource, int] | None:
    """The source and the run; the lock is taken before others see the lease. A run before it that gave no
    sign any more is told as broken off."""
    with engine.begin() as connection:
        values = {"lease": LEASE, "only": only, "class": CLASS}
        row = connection.execute(text(CLAIM), values).first()
        if row is None:
            return None
        source = StoredSource(*row)
        alive.enter_context(only_process(engine, f"source {source.id} {source.attempt}"))
        connection.execute(
            text(
                "update source_run set state = 'failed', finished_at = now(),"
                " message = 'The program was stopped while it ran; the next run goes on.'"
                " where source_id = :id and state = 'running'"
            ),
            {"id": source.id},
        )
        run = connection.execute(
            text("insert into source_run (source_id) values (:id) returning id"), {"id": source.id}
        ).scalar_one()
    return source, int(run)


def hold(connection: Connection, source: StoredSource) -> None:
    """Keeps the lease, in the transaction of what is written under it. Raises RunLost."""
    kept = connection.execute(
        text(
            "update source set lease_until = now() + :lease"
            " where id = :id and attempt = :attempt and enabled"
        ),
        {"lease": LEASE, "id": source.id, "attempt": source.attempt},
    )
    if not kept.rowcount:
        raise RunLost(source.id)


def storable_words(text_value: str) -> str:
    """Words of a sender as PostgreSQL takes them: it has no character of number 0, nor half of one."""
    return text_value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def tell(connection: Connection, run: int, counts: RunCounts) -> None:
    """Notes how far a run is."""
    connection.execute(
        text(
            "update source_run set requests = :requests, read = :read, written = :written,"
            " unchanged = :unchanged, refused = :refused, uncounted = cast(:uncounted as jsonb),"
            " progress = :progress where id = :id"
        ),
        {
            "id": run,
            "requests": counts.requests,
            "read": counts.read,
            "written": counts.written,
            "unchanged": counts.unchanged,
            "refused": counts.refused,
            "uncounted": orjson.dumps(counts.uncounted).decode(),
            "progress": storable_words(counts.progress),
        },
    )


@dataclass(frozen=True, slots=True)
class RunEnd:
    """End of a run: its state, why, and when the source is due again (None: by its schedule)."""

    state: str
    code: str = ""
    message: str = ""
    next_at: datetime | None = None


def finish(engine: Engine, source: StoredSource, run: int, end: RunEnd) -> None:
    """Notes the end, and when the source is due again: after a failure later each time, alone."""
    failed, message = end.state == "failed", storable_words(end.message)
    minutes = source.schedule_minutes * (2 ** min(source.failures + 1, 8) if failed else 1)
    wait = (
        min(timedelta(minutes=minutes), LONGEST_BACK_OFF) if failed else timedelta(minutes=minutes)
    )
    state = {"done": "healthy", "waiting": "waiting", "failed": "failing"}[end.state]
    with engine.begin() as connection:
        connection.execute(
            text(
                "update source_run set state = :state, finished_at = clock_timestamp(),"
                " error_code = :code, message = :message where id = :id"
            ),
            {"state": end.state, "code": end.code, "message": message, "id": run},
        )
        connection.execute(
            text(
                "update source set state = :state, error_code = :code, message = :message,"
                " failures = case when :failed then failures + 1 else 0 end,"
                " next_at = coalesce(cast(:next as timestamptz),"
                "   now() + cast(:wait as interval) * (0.95 + random() * 0.1)),"
                " last_success_at = case when :state = 'healthy' then now()"
                "   else last_success_at end,"
                " lease_until = null where id = :id and attempt = :attempt"
            ),
            {
                "state": state,
                "code": end.code,
                "message": message,
                "failed": failed,
                "next": end.next_at,
                "wait": wait,
                "id": source.id,
                "attempt": source.attempt,
            },
        )


NAMES = ", ".join(StoredRun.__dataclass_fields__)


def newest(connection: Connection, id: int, limit: int) -> list[StoredRun]:
    """The newest runs of a source."""
    rows = connection.execute(
        text(f"select {NAMES} from source_run where source_id = :id order by id desc limit :limit"),
        {"id": id, "limit": limit},
    )
    return [StoredRun(*row) for row in rows]


TOTALS = text("""
select source_id, sum(read) as read, sum(written) as written, sum(unchanged) as unchanged,
       sum(refused) as refused,
       coalesce(sum((select sum(value::bigint) from jsonb_each_text(uncounted))), 0) as uncounted
from source_run where source_id = any(:ids) and started_at > now() - interval '28 days'
group by source_id
""")


def totals(connection: Connection, ids: list[int]) -> dict[int, Mapping[str, Any]]:
    """Counts of the records of the last 28 days, by source."""
    rows = connection.execute(TOTALS, {"ids": ids}).mappings()
    return {row["source_id"]: dict(row) for row in rows}
