"""Kinds of record that can be imported: the workspaces, and those that the domains declare."""

from __future__ import annotations

from aggregators import catalogue
from aggregators.records.kinds import Field, RecordKind, must
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import NAME
from storage.tables import workspace

WORKSPACE = "workspace"

WORKSPACES = RecordKind(
    "workspaces",
    workspace,
    ("slug",),
    (
        must("slug", fields.slug),
        must("name", fields.text(NAME)),
        Field("region", fields.text(NAME)),
        Field("is_active", fields.yes_no, default=True),
        Field("accent", fields.colour),
    ),
)

KINDS: dict[str, RecordKind] = {
    kind.name: kind
    for kind in (
        WORKSPACES,
        *(k for module in catalogue.parts("kinds").values() for k in module.KINDS),
    )
}
"""Every kind by its name, the domains' in their order."""
