"""Presets made ready by the night: the rows that their dashboards read, packed workspace by workspace."""

from __future__ import annotations

import logging
from datetime import date
from functools import partial

import psycopg2
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from aggregators.chosen.changes import ChosenSettings
from aggregators.chosen.names import SPRINT_DAYS
from aggregators.pooling.plan import Plan
from aggregators.vocabulary.period import PRESETS, rolling
from reading.rows import rows_request
from settings import Settings
from storage import context
from storage.chosen import store
from storage.context import Begins
from storage.database import Database
from storage.executive import encoded_rows, preset_rows
from storage.executive.encoded_rows import RowsRequest
from storage.executive.scope import newest_day
from storage.nodes.lanes import Lanes

log = logging.getLogger("vigilo.presets")

AT_ONCE = 2
"""Workspaces at a time, as in a run of the snapshot: the work is PostgreSQL's."""
ACTIVE = text("select id from workspace where is_active and snapshot_day is not null order by id")
DAYS = text("""
select max(snapshot_day), min(snapshot_day),
       (select max(day) from snapshot_run where finished_at is not null)
from workspace where is_active
""")


def pack(database: Database, settings: Settings) -> int:
    """Packs what every preset reads of each workspace as of the organisation's last day; of how many. One
    that can not be packed is logged, and read as it stands."""
    with database.job.begin() as connection:
        last = newest_day(*connection.execute(DAYS).one())
        if last is None:
            return 0
        workspaces = list(connection.execute(ACTIVE).scalars())
        chosen = ChosenSettings(store.of_organisation(connection))
        sprint_days = chosen.value(SPRINT_DAYS, last, settings.sprint_days)
        requests = _requests(connection, last, sprint_days)

    def one(workspace_id: int, begins: Begins) -> bool:
        try:
            with context.job_in(begins, workspace_id) as own:
                # A crash loses what the next night packs again.
                own.execute(text("set local synchronous_commit = off"))
                preset_rows.pack(own, workspace_id, requests)
        except (SQLAlchemyError, psycopg2.Error):
            log.exception("the presets of workspace %s are not packed", workspace_id)
            return False
        return True

    with Lanes(database.job, workspaces, AT_ONCE) as lanes:
        coming = [lanes.submit(key, partial(one, key)) for key in workspaces]
        return sum(done.result() for done in coming)


def _requests(connection: Connection, last: date, sprint_days: int) -> dict[int, RowsRequest]:
    layout = encoded_rows.number_layout(connection)
    plans = {n: Plan.of(rolling(n, last), last, sprint_days) for n in PRESETS}
    return {n: rows_request(plan, last, layout) for n, plan in plans.items()}
