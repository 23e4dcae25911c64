"""Vigilo's own counters of a workspace's use, where this installation has their source."""

from __future__ import annotations

from aggregators import catalogue
from aggregators.vocabulary.clock import count_spans, day_after

COUNTERS = (
    "member_count",
    "api_call_count_24h",
    "storage_bytes",
    "change_count_24h",
    "incident_count_24h",
    "monitored_host_count",
    "audit_event_count_24h",
)
"""Carried for Vigilo's own pages; null where this installation has no source for it."""

MEMBERS = f"""
select {day_after("granted_at")} as born, coalesce({day_after("revoked_at")}, clock.length + 1) as gone
from membership cross join clock where workspace_id = :w
"""

SPANS = {"member_count": MEMBERS} | {
    name: spans
    for module in catalogue.parts("counts").values()
    for name, spans in getattr(module, "COUNTERS", {}).items()
}
"""Queries of the spans of days that each counter counts, the domains' among them."""

WITHOUT_SOURCE = ", ".join(f"null::bigint as {name}" for name in COUNTERS if name not in SPANS)

FACTS = (
    *(count_spans(spans, name) for name, spans in SPANS.items()),
    f"select day, {WITHOUT_SOURCE} from days",
)
