"""The queue of exports: rows of ``export_job``. PostgreSQL is the truth, whatever wakes a worker.

A job is claimed with SKIP LOCKED for a lease on the database's clock and kept by its heartbeat. Each claim
is a further attempt, and the attempt's number is the fence: what an earlier one does later is discarded.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from storage import audit
from storage.chosen import commentary
from storage.identity import tickets
from storage.tables import IS_OPEN, OPEN_EXPORT_STATES
from storage.viewer import Viewer

LEASE_SECONDS, ATTEMPTS, RUNNING_A_USER, OPEN_A_USER, KEPT_HOURS = 60, 3, 3, 20, 24


class TooManyExports(RuntimeError):
    """The person has as many exports waiting as anybody may."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker. ``attempt`` is the fence."""

    id: uuid.UUID
    viewer: Viewer
    params: Mapping[str, Any]
    format: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its owner sees it."""

    id: uuid.UUID
    state: str
    format: str
    params: Mapping[str, Any]
    progress: int
    steps: int
    size: int | None
    error: str | None
    created_at: datetime
    expires_at: datetime | None
    mail_wanted: bool
    seconds: float

    @property
    def is_open(self) -> bool:
        """Whether it is still under way."""
        return self.state in OPEN_EXPORT_STATES


def request(
    engine: Engine, viewer: Viewer, params: Mapping[str, Any], format: str, scope: Sequence[str]
) -> uuid.UUID:
    """Queues an export; its id. Raises TooManyExports."""
    with engine.begin() as connection:
        connection.execute(
            text("select pg_advisory_xact_lock(:lock, :user)"),
            {"lock": 0x4578_706F, "user": viewer.user_id % 2**31},
        )
        waiting = connection.execute(
            text(f"select count(*) from export_job where user_id = :u and {IS_OPEN}"),
            {"u": viewer.user_id},
        ).scalar_one()
        if waiting >= OPEN_A_USER:
            raise TooManyExports(
                f"{waiting} exports are under way already: wait for one, or cancel it."
            )
        return insert(connection, viewer, params, format, scope, id=uuid.uuid4())


def insert(
    connection: Connection,
    viewer: Viewer,
    params: Mapping[str, Any],
    format: str,
    scope: Sequence[str],
    *,
    id: uuid.UUID,
    mailed: bool = False,
    subscription: int = commentary.OWN,
) -> uuid.UUID:
    """The row of a new job, and its entry in the audit log, within the caller's transaction. ``mailed``
    however quickly it is made; with the commentary of the ``subscription`` that it is of."""
    params = {**params, **commentary.kept_commentary(connection, viewer, subscription)}
    connection.execute(
        text(
            "insert into export_job (id, user_id, params, format, scope, mail_wanted)"
            " values (:id, :u, cast(:params as jsonb), :format, :scope, :mailed)"
        ),
        {
            "id": id,
            "u": viewer.user_id,
            "params": json.dumps(dict(params)),
            "format": format,
            "scope": list(scope),
            "mailed": mailed,
        },
    )
    plain = {name: value for name, value in params.items() if name != commentary.NAME}
    details = {**plain, "format": format, "scope": list(scope)}
    audit.record(connection, viewer.email, "export.request", str(id), details)
    return id


CLAIM = f"""
update export_job j set state = 'running', attempt = attempt + 1, progress = 0,
       lease_until = now() + make_interval(secs => :lease)
from app_user u
where u.id = j.user_id and j.id = (
    select c.id from export_job c
    where (c.state = 'queued' or (c.state = 'running' and c.lease_until < now()))
      and c.attempt < {ATTEMPTS}
      and (select count(*) from export_job r where r.user_id = c.user_id and r.state = 'running'
           and r.lease_until >= now()) < {RUNNING_A_USER}
    order by c.created_at for update skip locked limit 1
)
returning j.id, j.user_id, u.email, u.name, j.params, j.format, j.attempt
"""


def claim(engine: Engine, lease: float = LEASE_SECONDS) -> Claim | None:
    """The oldest job that waits or whose worker has gone silent, None where there is none."""
    with engine.begin() as connection:
        row = connection.execute(text(CLAIM), {"lease": lease}).first()
        if row is None:
            return None
        viewer = Viewer(row.user_id, row.email, row.name, tickets.issue(connection, row.user_id))
    return Claim(row.id, viewer, row.params, row.format, row.attempt)


def extend_lease(
    engine: Engine,
    claimed: Claim,
    lease: float = LEASE_SECONDS,
    progress: tuple[int, int] | None = None,
) -> bool:
    """Extends the lease, and says how far the work is; False when the job is another's, or cancelled."""
    done, steps = progress or (None, None)
    with engine.begin() as connection:
        return bool(
            connection.execute(
                text(
                    "update export_job set lease_until = now() + make_interval(secs => :lease),"
                    " progress = coalesce(:done, progress), steps = coalesce(:steps, steps)"
                    " where id = :id and state = 'running' and attempt = :attempt"
                ),
                {
                    "lease": lease,
                    "done": done,
                    "steps": steps,
                    "id": claimed.id,
                    "attempt": claimed.attempt,
                },
            ).rowcount
        )


def finish(
    connection: Connection,
    claimed: Claim,
    *,
    key: str,
    filename: str,
    sha256: bytes,
    size: int,
    scope: Sequence[str],
    span: Mapping[str, str],
) -> Job | None:
    """Marks it ready within the caller's transaction; None when the job is another's by now."""
    row = connection.execute(
        text(
            "update export_job set state = 'ready', progress = steps, file_key = :key, sha256 = :sha,"
            " size = :size, scope = :scope, params = params || cast(:span as jsonb), error = null,"
            " lease_until = null, finished_at = now(),"
            " expires_at = now() + make_interval(hours => :hours)"
            f" where id = :id and state = 'running' and attempt = :attempt returning {FINISHED}"
        ),
        {
            "key": key,
            "sha": sha256,
            "size": size,
            "scope": list(scope),
            "span": json.dumps({**span, "filename": filename}),
            "hours": KEPT_HOURS,
            "id": claimed.id,
            "attempt": claimed.attempt,
        },
    ).first()
    if row is None:
        return None
    details = {"sha256": sha256.hex(), "size": size, "scope": list(scope), **span}
    audit.record(connection, claimed.viewer.email, "export.render", str(claimed.id), details)
    return Job(*row)


def fail(engine: Engine, claimed: Claim, reason: str, *, again: bool) -> None:
    """Gives the job back for another attempt where that may help and one is left, else ends it."""
    ended = not again or claimed.attempt >= ATTEMPTS
    with engine.begin() as connection:
        changed = connection.execute(
            text(
                "update export_job set state = :state, error = :reason, lease_until = null,"
                " finished_at = case when :ended then now() end"
                " where id = :id and state = 'running' and attempt = :attempt"
            ),
            {
                "state": "failed" if ended else "queued",
                "reason": reason[:500],
                "ended": ended,
                "id": claimed.id,
                "attempt": claimed.attempt,
            },
        ).rowcount
        if changed and ended:
            details = {"reason": reason[:500]}
            audit.record(connection, claimed.viewer.email, "export.fail", str(claimed.id), details)


def has_claimable(engine: Engine) -> bool:
    """Whether any job could be claimed, but for the limit of each person."""
    query = text(
        "select exists (select from export_job where attempt < :most and (state = 'queued'"
        " or (state = 'running' and lease_until < now())))"
    )
    with engine.connect() as connection:
        return bool(connection.execute(query, {"most": ATTEMPTS}).scalar_one())


def fail_abandoned(engine: Engine) -> int:
    """Ends the jobs whose workers have died as often as there are attempts; how many."""
    with engine.begin() as connection:
        return connection.execute(
            text(
                "update export_job set state = 'failed', finished_at = now(), lease_until = null,"
                " error = coalesce(error, 'Its worker stopped in mid-work, three times.')"
                " where state = 'running' and lease_until < now() and attempt >= :most"
            ),
            {"most": ATTEMPTS},
        ).rowcount


SHOWN = (
    "id, state, format, params, progress, steps, size, error, created_at, expires_at, mail_wanted"
)
COLUMNS = (
    f"{SHOWN}, extract(epoch from coalesce(finished_at, now()) - created_at)::float8 as seconds"
)
FINISHED = f"{SHOWN}, extract(epoch from finished_at - created_at)::float8 as seconds"
"""Columns of a job that has ended: Citus takes no clock among what a change returns."""


def own_job(engine: Engine, viewer: Viewer, id: uuid.UUID) -> Job | None:
    """The person's own job."""
    query = text(f"select {COLUMNS} from export_job where id = :id and user_id = :u")
    with engine.connect() as connection:
        row = connection.execute(query, {"id": id, "u": viewer.user_id}).first()
    return Job(*row) if row else None


def own_jobs(engine: Engine, viewer: Viewer, most: int = 50) -> list[Job]:
    """The person's own jobs, the newest first."""
    query = text(
        f"select {COLUMNS} from export_job where user_id = :u order by created_at desc limit :most"
    )
    with engine.connect() as connection:
        return [Job(*row) for row in connection.execute(query, {"u": viewer.user_id, "most": most})]


def cancel(engine: Engine, viewer: Viewer, id: uuid.UUID) -> bool:
    """Ends the person's own job while it is under way; its worker finds out at its next step."""
    ended = "state = 'cancelled', lease_until = null, finished_at = now()"
    return _update_job(engine, viewer, id, ended, IS_OPEN, "export.cancel")


def expire(engine: Engine, viewer: Viewer, id: uuid.UUID) -> bool:
    """Takes the person's own finished file away; the janitor removes its bytes."""
    ended = "state = 'expired', expires_at = now()"
    return _update_job(engine, viewer, id, ended, "state = 'ready'", "export.delete")


def _update_job(
    engine: Engine,
    viewer: Viewer,
    id: uuid.UUID,
    assignments: str,
    condition: str,
    action: str = "",
) -> bool:
    """Changes a viewer's own job where the condition holds; whether it did. ``action`` is audited."""
    statement = text(
        f"update export_job set {assignments} where id = :id and user_id = :u and {condition}"
    )
    with engine.begin() as connection:
        done = connection.execute(statement, {"id": id, "u": viewer.user_id}).rowcount
        if done and action:
            audit.record(connection, viewer.email, action, str(id), {})
    return bool(done)
