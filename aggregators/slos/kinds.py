"""Objectives and their days, as ``records import`` takes them."""

from __future__ import annotations

from aggregators.records.kinds import Field, Link, Order, RecordKind, must
from aggregators.slos import fold, tables
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import KEY, NAME, QUERY

_AMOUNT = fields.number(least=0)

SLOS = RecordKind(
    "slos",
    tables.objective,
    ("key",),
    (
        must("key", fields.text(KEY)),
        Field("name", fields.title(NAME)),
        Field("type", fields.one_of(tables.SLO_TYPES), default="custom"),
        must("target_percent", fields.number(above=0, most=100)),
        Field("window_days", fields.whole_number(1, 366), default=30),
        Field("window", fields.one_of(("days", *tables.CALENDARS))),
        Field("error_query", fields.text(QUERY)),
        Field("total_query", fields.text(QUERY)),
    ),
    fold=fold.OBJECTIVE,
    idle=(
        (
            "objective without traffic",
            "not exists (select from objective_day d where d.workspace_id = r.workspace_id"
            " and d.key = r.key and d.total > 0)",
        ),
    ),
)

SLO_DAYS = RecordKind(
    "slo-days",
    tables.objective_day,
    ("key", "day"),
    (
        must("key", fields.text(KEY)),
        must("day", fields.day),
        must("good", _AMOUNT),
        must("total", _AMOUNT),
        Field("burn_1h_max", _AMOUNT),
        Field("burn_6h_max", _AMOUNT),
    ),
    orders=(Order("good", "total", says="is less than"),),
    links=(Link("objective", "key", "key"),),
    fold=fold.DAY,
    since="cast({r}.day as timestamptz)",
)

KINDS = (
    SLOS,
    SLO_DAYS,
)
