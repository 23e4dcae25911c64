"""Where exports are made apart, a process that serves rings the bell and does nothing else."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from sqlalchemy import text

from exports import queue
from exports.runner import Bell, Runner
from exports.worker import ExportContext, Pace
from tests.exports.work.test_killed_workers import redis
from tests.served import until
from tests.webworld import make


@pytest.mark.parametrize(("inside", "state"), [(True, "ready"), (False, "queued")])
def test_a_serving_process_makes_exports_unless_it_is_told_not_to(
    database, settings, tmp_path, inside, state
):
    web = make(database, settings)
    own = settings.model_copy(update={"exports_in_process": inside, "data_dir": tmp_path})
    context = ExportContext(database, own)
    queue.request(database.job, web.people["alice"], {"period": "7"}, "csv", ["alpha"])
    runner = Runner(lambda: context)
    runner.keep()
    runner.wake()
    runner.stop()
    with database.job.connect() as connection:
        assert connection.execute(text("select state from export_job")).scalars().all() == [state]
    assert Bell(tmp_path).has_rung(), "a worker apart hears of it"


@pytest.mark.parametrize("is_there", [True, False], ids=["Redis there", "Redis away"])
def test_where_no_worker_of_celery_listens_a_serving_process_makes_the_export(
    database, settings, tmp_path, is_there
):
    web = make(database, settings)
    with redis() if is_there else nullcontext("redis://127.0.0.1:1/0") as address:
        own = settings.model_copy(update={"redis_url": address, "data_dir": tmp_path})
        context = ExportContext(database, own, Pace(upkeep=0.1))
        runner = Runner(lambda: context)
        runner.keep()
        queue.request(database.job, web.people["alice"], {"period": "7"}, "csv", ["alpha"])
        runner.wake()
        until(lambda: not queue.has_claimable(database.job))
        runner.stop()
    with database.job.connect() as connection:
        assert connection.execute(text("select state from export_job")).scalars().all() == ["ready"]
