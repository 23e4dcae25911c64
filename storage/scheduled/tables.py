"""Table of what was run by the clock or on somebody's word."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from aggregators.records.tables import instant, metadata, one_of

OPEN_RUN_STATES = ("queued", "running")
RUN_STATES = (*OPEN_RUN_STATES, "done", "failed")

task_run = Table(
    "task_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("task", Text, nullable=False),
    Column("day", Date),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("asked_by", Text, nullable=False, server_default=text("''")),
    instant("asked_at", nullable=False, now=True),
    instant("started_at"),
    instant("finished_at"),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer, nullable=False, server_default=text("0")),
    Column("message", Text, nullable=False, server_default=text("''")),
    Column("failures", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    one_of("state", RUN_STATES),
)
"""Runs of a task: ``day`` is the day of a snapshot, ``done`` of ``total`` its workspaces, ``failures`` the
reasons by workspace."""
Index("task_run_newest", task_run.c.task, task_run.c.id)
