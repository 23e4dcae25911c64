"""Delivery as a snapshot holds it: deployments that count, failed, with lead and recovery times."""

from __future__ import annotations

from tests.plain import delivery_rules
from tests.plain.clock import Clock, Facts
from tests.plain.incident_rules import counted_incidents, over_since
from tests.plain.records import Records, Row


def is_undone(records: Records, deployment: Row) -> bool:
    return deployment["key"] in delivery_rules.undone(records.deployment, records.roll_back)


def succeeded(records: Records, deployment: Row) -> bool:
    return delivery_rules.reached(deployment) and not is_undone(records, deployment)


def failed(records: Records, deployment: Row) -> bool:
    causes = [i["caused_by"] for i in counted_incidents(records.incident)]
    named = [delivery_rules.whole(key, records.deployment) for key in causes]
    blamed = deployment["key"] in named
    told = deployment["outcome"] in ("failed", "rolled_back")
    return blamed or told or is_undone(records, deployment)


def caused(records: Records) -> list[tuple[Row, Row]]:
    """Incidents with the deployment that caused them, where it counts."""
    return [
        (i, d)
        for i in counted_incidents(records.incident)
        for d in records.deployment
        if d["key"] == delivery_rules.whole(i["caused_by"], records.deployment)
        and delivery_rules.counts(d)
    ]


def delivery(records: Records, clock: Clock) -> Facts:
    ended = [
        d for d in records.deployment if delivery_rules.counts(d) and clock.saw(d["completed_at"])
    ]
    unrecovered = [
        i
        for i, _ in caused(records)
        if clock.past(i["opened_at"]) and not clock.past(over_since(i))
    ]
    return {
        "ended_deployments": len(ended),
        "failed_deployments": sum(failed(records, d) for d in ended),
        "successful_deployments": sum(succeeded(records, d) for d in ended),
        "delivery_tracked": any(
            clock.past(d["completed_at"]) for d in records.deployment if not d.get("left_out")
        ),
        "recoveries_open": len(unrecovered),
    }


def lead_times(records: Records, clock: Clock) -> list[float]:
    """Seconds from commit, or from the deployment's creation where its service tells no change."""
    found = []
    for d in records.deployment:
        if delivery_rules.reached(d) and clock.saw(d["completed_at"]):
            starts = delivery_rules.commits(d, records.deployment, records.deployment_change)
            found += [
                (d["completed_at"] - s).total_seconds() for s in starts if s <= d["completed_at"]
            ]
    return found


def recovery_times(records: Records, clock: Clock) -> list[float]:
    return [
        (i["resolved_at"] - d["completed_at"]).total_seconds()
        for i, d in caused(records)
        if clock.saw(i["resolved_at"]) and i["resolved_at"] >= d["completed_at"]
    ]
