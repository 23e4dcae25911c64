"""Runs of scheduled tasks: begun, told of while they last, finished; and the newest ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import orjson
from sqlalchemy import Connection, Engine, text

from storage.scheduled.tables import OPEN_RUN_STATES

SNAPSHOT = "snapshot"
"""Task of a day's snapshot of every workspace."""
COLUMNS = """
id, task, day, state, asked_by, asked_at, started_at, finished_at, done, total, message, failures
"""


@dataclass(frozen=True, slots=True)
class TaskRun:
    """Run of a task, as ``storage.scheduled.tables`` has it."""

    id: int
    task: str
    day: date | None
    state: str
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    done: int
    total: int
    message: str
    failures: Mapping[str, str]

    @property
    def is_open(self) -> bool:
        """Whether it waits or is under way."""
        return self.state in OPEN_RUN_STATES

    @property
    def duration(self) -> timedelta | None:
        """Time from its beginning to its end, None before that."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


def request(engine: Engine, task: str, asked_by: str) -> int:
    """Asks for a run; one that waits already serves everybody who asks. Returns its id."""
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:task))"), {"task": task})
        waiting = connection.execute(
            text("select id from task_run where task = :task and state = 'queued' order by id"),
            {"task": task},
        ).scalar()
        if waiting is not None:
            return int(waiting)
        return _insert(connection, task, None, asked_by)


def requested_run(connection: Connection, task: str) -> TaskRun | None:
    """The run that somebody has asked for and nobody has begun."""
    query = f"select {COLUMNS} from task_run where task = :task and state = 'queued' order by id limit 1"
    row = connection.execute(text(query), {"task": task}).first()
    return TaskRun(*row) if row else None


def begin(
    connection: Connection, task: str, day: date | None, total: int, id: int | None = None
) -> int:
    """Notes that a run begins, the one of that ``id`` where somebody asked for it; returns its id. Whatever
    run of the task was under way has been broken off: who begins one holds the task's lock."""
    connection.execute(
        text(
            "update task_run set state = 'failed', finished_at = clock_timestamp(),"
            " message = 'The program was stopped while it ran.'"
            " where task = :task and state = 'running'"
        ),
        {"task": task},
    )
    run = _insert(connection, task, day, "") if id is None else id
    connection.execute(
        text(
            "update task_run set state = 'running', day = :day, total = :total,"
            " started_at = clock_timestamp() where id = :id"
        ),
        {"id": run, "day": day, "total": total},
    )
    return run


def _insert(connection: Connection, task: str, day: date | None, asked_by: str) -> int:
    made = connection.execute(
        text("insert into task_run (task, day, asked_by) values (:task, :day, :by) returning id"),
        {"task": task, "day": day, "by": asked_by},
    )
    return int(made.scalar_one())


def tell(engine: Engine, id: int, done: int) -> None:
    """Notes how far a run is."""
    with engine.begin() as connection:
        connection.execute(
            text("update task_run set done = :done where id = :id"), {"id": id, "done": done}
        )


def finish(
    connection: Connection, id: int, message: str, failures: Mapping[str, str], *, failed: bool
) -> None:
    """Notes the end of a run."""
    values = {
        "id": id,
        "message": message,
        "failures": orjson.dumps(dict(failures)).decode(),
        "state": "failed" if failed else "done",
    }
    connection.execute(
        text(
            "update task_run set state = :state, finished_at = clock_timestamp(), message = :message,"
            " failures = cast(:failures as jsonb) where id = :id"
        ),
        values,
    )


def newest(
    connection: Connection, task: str, limit: int = 1, day: date | None = None
) -> list[TaskRun]:
    """The newest runs of a task, of one day or of any."""
    query = (
        f"select {COLUMNS} from task_run where task = :task"
        " and (cast(:day as date) is null or day = :day) order by id desc limit :limit"
    )
    rows = connection.execute(text(query), {"task": task, "limit": limit, "day": day})
    return [TaskRun(*row) for row in rows]


def forget(engine: Engine, before: datetime) -> int:
    """Deletes finished runs of before then; returns how many."""
    with engine.begin() as connection:
        return connection.execute(
            text("delete from task_run where finished_at < :before"), {"before": before}
        ).rowcount
