"""Deployments and changes, as ``records import`` takes them."""

from __future__ import annotations

from aggregators.dora import fold, tables, undoing
from aggregators.records.kinds import LINKING, Field, Link, RecordKind, must
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import KEY, NAME

DEPLOYMENTS = RecordKind(
    "deployments",
    tables.deployment,
    ("key",),
    (
        must("key", fields.text(KEY)),
        Field("created_at", fields.instant),
        must("completed_at", fields.instant),
        Field("environment", fields.lowered_title(NAME), default="production"),
        must("outcome", fields.one_of(tables.OUTCOMES)),
        Field("service", fields.text(NAME)),
    ),
    told=(
        Field("is_production", fields.yes_no),
        Field("withdrawn", fields.yes_no),
        Field("merged_into", fields.text(KEY)),
        *LINKING,
    ),
    happened=("completed_at",),
    since="""least({r}.completed_at, (select p.completed_at from deployment p
              where p.workspace_id = {r}.workspace_id and p.key = {r}.part_of))""",
    fold=fold.DEPLOYMENT,
    settling=undoing.BY_DEPLOYMENTS,
)

CHANGES = RecordKind(
    "changes",
    tables.deployment_change,
    ("deployment", "key"),
    (
        must("deployment", fields.text(KEY)),
        must("key", fields.text(KEY)),
        must("committed_at", fields.instant),
    ),
    links=(Link("deployment", "key", "deployment"),),
    happened=("committed_at",),
    since="""(select least(d.completed_at, p.completed_at) from deployment d
              left join deployment p on p.workspace_id = d.workspace_id and p.key = d.part_of
              where d.workspace_id = {r}.workspace_id and d.key = {r}.deployment)""",
    fold=fold.CHANGE,
)

ROLL_BACKS = RecordKind(
    "roll-backs",
    tables.roll_back,
    ("key",),
    (
        must("key", fields.text(KEY)),
        must("rolled_back_at", fields.instant),
        Field("environment", fields.lowered_title(NAME), default="production"),
        Field("service", fields.text(NAME), default=""),
    ),
    happened=("rolled_back_at",),
    since="null",
    fold=fold.ROLL_BACK,
    settling=undoing.BY_ROLL_BACKS,
)

KINDS = (DEPLOYMENTS, CHANGES, ROLL_BACKS)
