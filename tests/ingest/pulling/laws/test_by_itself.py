"""Sources go on by themselves, as their pages promise: nobody asks, and the clock of a process does."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from sqlalchemy import text

from ingest.pulling.runs import StoredRun
from scheduling.context import ScheduleContext
from scheduling.scheduler import Scheduler
from scheduling.tasks import TASKS, every
from tests.conftest import superuser
from tests.served import until

ROW = "alpha,{key},2026-11-01T10:00:00Z,2026-11-01T10:05:00Z,successful,production\n"
HEADER = "workspace,key,created_at,completed_at,outcome,environment\n"
TURN_OVER = "update source set next_at = now() where id = :id"


def test_a_source_is_read_first_and_again_without_anybody(installed, tmp_path):
    """The first run begins within a few seconds; the next when its turn is over."""
    settings = installed.context.settings.model_copy(update={"source_folders": (str(tmp_path),)})
    installed.context = installed.context._replace(settings=settings)
    (tmp_path / "alpha").mkdir()
    file = tmp_path / "alpha" / "deployments.csv"

    def put(*keys: str) -> None:
        file.write_text(HEADER + "".join(ROW.format(key=key) for key in keys))
        os.utime(file, (time.time() - 60 - len(keys),) * 2)

    def written() -> list[str]:
        return [key for (key,) in installed.rows("deployment", "key")]

    put("D-1")
    context = ScheduleContext(installed.context.database, settings)
    (task,) = (task for task in TASKS if task.name == "sources")
    scheduler = Scheduler(lambda: context, [replace(task, when=every(seconds=1))])
    scheduler.keep()
    try:
        source = installed.make("files", place="alpha")
        until(lambda: written() == ["D-1"])
        until(lambda: _ended(installed.last_run(source)))
        put("D-1", "D-2")
        with superuser(installed.context.database).begin() as connection:
            connection.execute(text(TURN_OVER), {"id": source})
        until(lambda: written() == ["D-1", "D-2"])
    finally:
        scheduler.stop()


def _ended(run: StoredRun) -> bool:
    return run.state not in ("queued", "running")
