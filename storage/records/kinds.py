"""What can be imported: each kind declared once, with its columns, key and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Table

from storage import models
from storage.records import fields
from storage.records.fields import KEY, NAME, QUERY, TITLE, Parser

WORKSPACE = "workspace"
Values = Mapping[str, object]
Bound = datetime | date | float
"""What two columns are compared by."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is rejected; ``column`` is empty where the row as a whole is at fault."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Field:
    """A column: ``default`` stands in for an empty cell, and for the column in a new record."""

    name: str
    parse: Parser
    required: bool = False
    default: object = None


@dataclass(frozen=True, slots=True)
class Order:
    """``low`` must not be above ``high`` where both are known; ``blame`` names the column at fault."""

    low: str
    high: str
    says: str = "lies before"

    def fault(self, values: Values) -> Fault | None:
        """What is wrong with the two, or None."""
        low, high = values.get(self.low), values.get(self.high)
        if not isinstance(low, Bound) or not isinstance(high, Bound) or not low > high:  # type: ignore[operator]
            return None
        return Fault(self.high, f"{self.says} {self.low}: {plain(high)} against {plain(low)}")


@dataclass(frozen=True, slots=True)
class Link:
    """Stored records of the same workspace that a row is checked against.

    They are the rows of ``table`` whose ``theirs`` is the row's ``ours``; a ``required`` one must
    exist. Where ``at`` names an instant of the row and ``their_at`` one of theirs, the row's must
    be at or before the earliest of theirs (``before``), or at or after the latest of theirs.
    """

    table: Table
    theirs: str
    ours: str
    required: bool = False
    at: str | None = None
    their_at: str | None = None
    before: bool = False

    def fault(self, values: Values, known: Mapping[object, object]) -> Fault | None:
        """What is wrong, given the bound by key of the stored records; or None."""
        name = values[self.ours]
        if name is None or name not in known:
            missing = self.required and name is not None
            return (
                Fault(self.ours, f"no {self.called} {fields.shown(str(name))}") if missing else None
            )
        mine, bound = values[self.at] if self.at else None, known[name]
        if not isinstance(mine, datetime) or not isinstance(bound, datetime) or mine == bound:
            return None
        if (mine < bound) == self.before:
            return None
        way = "after" if self.before else "before"
        theirs = f"{self.their_at} of the {self.called} that it goes with"
        return Fault(str(self.at), f"lies {way} {theirs}: {plain(mine)} against {plain(bound)}")

    @property
    def called(self) -> str:
        """What the field calls such a record."""
        return self.table.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record. ``key`` identifies one within its workspace."""

    name: str
    table: Table
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    orders: tuple[Order, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def tenant(self) -> bool:
        """Whether the records belong to a workspace; the workspaces themselves do not."""
        return "workspace_id" in self.table.c

    def disorder(self, values: Values) -> Fault | None:
        """The first two columns that contradict each other, or None."""
        return next((fault for order in self.orders if (fault := order.fault(values))), None)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its file."""
        own = tuple(f.name for f in self.fields)
        return (WORKSPACE, *own) if self.tenant else own

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that a file must have; the workspace's may come from the command line."""
        return tuple(f.name for f in self.fields if f.required)


def plain(value: object) -> str:
    """A value as a file would say it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def must(name: str, parse: Parser) -> Field:
    """A required column."""
    return Field(name, parse, required=True)


_KEY = must("key", fields.text(KEY))
_AMOUNT = fields.number(least=0)
_DAYS_OF_WINDOW = fields.whole(1, 366)

WORKSPACES = Kind(
    "workspaces",
    models.workspace,
    ("slug",),
    (
        must("slug", fields.slug),
        must("name", fields.text(NAME)),
        Field("region", fields.text(NAME)),
        Field("is_active", fields.yes_no, default=True),
        Field("accent", fields.colour),
    ),
)

DEPLOYMENTS = Kind(
    "deployments",
    models.deployment,
    ("key",),
    (
        _KEY,
        Field("created_at", fields.instant),
        must("completed_at", fields.instant),
        Field("environment", fields.lowered(NAME), default="production"),
        must("outcome", fields.one_of(models.OUTCOMES)),
        Field("service", fields.text(NAME)),
    ),
    orders=(Order("created_at", "completed_at"),),
    links=(
        Link(
            models.deployment_change,
            "deployment",
            "key",
            at="completed_at",
            their_at="committed_at",
        ),
        Link(
            models.incident,
            "caused_by",
            "key",
            at="completed_at",
            their_at="resolved_at",
            before=True,
        ),
    ),
)

CHANGES = Kind(
    "changes",
    models.deployment_change,
    ("deployment", "key"),
    (
        must("deployment", fields.text(KEY)),
        _KEY,
        must("committed_at", fields.instant),
    ),
    links=(
        Link(
            models.deployment,
            "key",
            "deployment",
            required=True,
            at="committed_at",
            their_at="completed_at",
            before=True,
        ),
    ),
)

INCIDENTS = Kind(
    "incidents",
    models.incident,
    ("key",),
    (
        _KEY,
        Field("title", fields.text(TITLE)),
        Field("severity", fields.one_of(models.SEVERITIES), default="p3"),
        must("opened_at", fields.instant),
        Field("acknowledged_at", fields.instant),
        Field("resolved_at", fields.instant),
        Field("caused_by", fields.text(KEY)),
        Field("postmortem_required", fields.yes_no),
        Field("postmortem_published_at", fields.instant),
    ),
    orders=(
        Order("opened_at", "acknowledged_at"),
        Order("opened_at", "resolved_at"),
        Order("opened_at", "postmortem_published_at"),
    ),
    links=(Link(models.deployment, "key", "caused_by", at="resolved_at", their_at="completed_at"),),
)

SLOS = Kind(
    "slos",
    models.objective,
    ("key",),
    (
        _KEY,
        Field("name", fields.text(NAME)),
        Field("type", fields.one_of(models.SLO_TYPES), default="custom"),
        must("target_percent", fields.number(above=0, most=100)),
        Field("window_days", _DAYS_OF_WINDOW, default=30),
        Field("error_query", fields.text(QUERY)),
        Field("total_query", fields.text(QUERY)),
    ),
)

SLO_DAYS = Kind(
    "slo-days",
    models.objective_day,
    ("key", "day"),
    (
        _KEY,
        must("day", fields.day),
        must("good", _AMOUNT),
        must("total", _AMOUNT),
        Field("burn_1h_max", _AMOUNT),
        Field("burn_6h_max", _AMOUNT),
    ),
    orders=(Order("good", "total", says="is less than"),),
    links=(Link(models.objective, "key", "key", required=True),),
)

CONTROL_RESULTS = Kind(
    "control-results",
    models.control_result,
    ("framework", "control", "assessed_at"),
    (
        must("framework", fields.text(NAME)),
        must("control", fields.text(KEY)),
        must("result", fields.one_of(models.RESULTS)),
        must("assessed_at", fields.instant),
        Field("valid_until", fields.instant),
    ),
    orders=(Order("assessed_at", "valid_until"),),
)

CERTIFICATES = Kind(
    "certificates",
    models.certificate,
    ("fingerprint", "host", "port"),
    (
        Field("host", fields.lowered(253), default=""),
        Field("port", fields.whole(0, 65535), default=0),
        must("fingerprint", fields.fingerprint),
        Field("subject", fields.text(TITLE)),
        Field("issuer", fields.text(TITLE)),
        must("not_before", fields.any_instant),
        must("not_after", fields.any_instant),
        Field("revoked_at", fields.instant),
        Field("superseded_at", fields.instant),
        Field("first_seen", fields.instant),
        Field("last_seen", fields.instant),
    ),
    orders=(Order("not_before", "not_after"), Order("first_seen", "last_seen")),
)

VENDORS = Kind(
    "vendors",
    models.vendor,
    ("key",),
    (
        _KEY,
        must("name", fields.text(NAME)),
        must("tier", fields.whole(1, 4)),
        Field("status", fields.one_of(models.VENDOR_STATUSES), default="active"),
        Field("added_on", fields.day),
    ),
)

VENDOR_REVIEWS = Kind(
    "vendor-reviews",
    models.vendor_review,
    ("vendor", "completed_on"),
    (
        must("vendor", fields.text(KEY)),
        must("completed_on", fields.day),
        Field("next_due_on", fields.day),
    ),
    orders=(Order("completed_on", "next_due_on"),),
    links=(Link(models.vendor, "key", "vendor", required=True),),
)

KINDS = {
    kind.name: kind
    for kind in (
        WORKSPACES,
        DEPLOYMENTS,
        CHANGES,
        INCIDENTS,
        SLOS,
        SLO_DAYS,
        CONTROL_RESULTS,
        CERTIFICATES,
        VENDORS,
        VENDOR_REVIEWS,
    )
}
