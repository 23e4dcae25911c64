"""Incidents, as ``records import`` takes them."""

from __future__ import annotations

from aggregators.incidents import alerts, tables
from aggregators.records.kinds import LINKING, Field, RecordKind, must
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import KEY, TITLE

INCIDENTS = RecordKind(
    "incidents",
    tables.incident,
    ("key",),
    (
        must("key", fields.text(KEY)),
        Field("title", fields.title()),
        Field("severity", fields.lower_text(60)),
        must("opened_at", fields.instant),
        Field("acknowledged_at", fields.instant),
        Field("resolved_at", fields.instant),
        Field("caused_by", fields.text(KEY)),
        Field("postmortem_required", fields.yes_no),
        Field("postmortem_published_at", fields.instant),
    ),
    told=(
        Field("reopened_at", fields.instant),
        Field("open_at", fields.instant),
        Field("over", fields.yes_no),
        Field("merged_into", fields.text(KEY)),
        Field("withdrawn", fields.yes_no),
        Field("urgency", fields.lower_text(60)),
        Field("alert", fields.text(KEY)),
        Field("sender", fields.text(TITLE)),
        Field("starts_at", fields.instant),
        Field("ends_at", fields.instant),
        *LINKING,
    ),
    happened=(
        "opened_at",
        "acknowledged_at",
        "resolved_at",
        "reopened_at",
        "postmortem_published_at",
    ),
    fold=alerts.FOLD,
    since="""least({r}.opened_at, (select least(d.completed_at, p.completed_at) from deployment d
              left join deployment p on p.workspace_id = d.workspace_id and p.key = d.part_of
              where d.workspace_id = {r}.workspace_id and d.key = {r}.caused_by))""",
)

KINDS = (INCIDENTS,)
