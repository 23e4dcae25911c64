"""Tasks while the database is away: said once, in a line, until it is back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from sqlalchemy.exc import OperationalError

from scheduling.context import ScheduleContext
from scheduling.scheduler import Scheduler
from scheduling.tasks import Task, every

CONTEXT = cast(ScheduleContext, SimpleNamespace())


def test_an_outage_is_told_once_with_its_reason_and_the_next_one_again(caplog):
    is_there = [False, False, False, True, False]

    def work(_context: ScheduleContext) -> None:
        if not is_there.pop(0):
            raise OperationalError("select 1", {}, Exception("Connection refused\n\tIs it on?"))

    task = Task("sources", "Sources", every(seconds=5), work)
    scheduler = Scheduler(lambda: CONTEXT, [task])
    for _ in range(5):
        scheduler.run(task)
    assert is_there == []
    assert [record.getMessage() for record in caplog.records] == [
        "the database is away, and what is due waits: Connection refused"
    ] * 2
    assert not any(record.exc_info for record in caplog.records)
