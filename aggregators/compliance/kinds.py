"""Results of controls, as ``records import`` takes them."""

from __future__ import annotations

from aggregators.compliance import fold, tables
from aggregators.compliance.words import FRAMEWORK
from aggregators.records.kinds import Field, RecordKind, must
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import KEY, NAME

CONTROL_RESULTS = RecordKind(
    "control-results",
    tables.control_result,
    ("framework", "control", "asset", "assessed_at"),
    (
        must("framework", fields.text(NAME)),
        must("control", fields.text(KEY)),
        Field("asset", fields.text(KEY), default=""),
        must("result", fields.one_of(tables.RESULTS)),
        must("assessed_at", fields.instant),
        Field("valid_until", fields.instant),
    ),
    happened=("assessed_at",),
    fold=fold.RESULT,
    since="{r}.assessed_at",
    named_by=FRAMEWORK,
)

ASSET_RETIREMENTS = RecordKind(
    "asset-retirements",
    tables.asset_retirement,
    ("asset", "framework"),
    (
        must("asset", fields.text(KEY)),
        Field("framework", fields.text(NAME), default=""),
        must("retired_at", fields.instant),
    ),
    fold=fold.RETIREMENT,
    since="{r}.retired_at",
    named_by=FRAMEWORK,
)

FRAMEWORK_CONTROLS = RecordKind(
    "framework-controls",
    tables.framework_control,
    ("framework", "control"),
    (
        must("framework", fields.text(NAME)),
        must("control", fields.text(KEY)),
        Field("title", fields.text(NAME), default=""),
        must("set_up_at", fields.instant),
    ),
    fold=fold.SET_UP,
    since="{r}.set_up_at",
    named_by=FRAMEWORK,
)

KINDS = (CONTROL_RESULTS, ASSET_RETIREMENTS, FRAMEWORK_CONTROLS)
