"""Alertmanager webhooks (version 4), Grafana's webhooks of the same shape, and Alertmanager's list of
alerts.

An alert is its labels without the severity label; it needs no fingerprint. An empty label is none. It
fires from ``startsAt`` and is over at ``endsAt``; an end in the year 1 is none. What a sender
(``externalURL``) tells of an alert becomes incidents: an earlier start moves the open one, a later one is a
new incident and closes what stood open, at the latest then; an end whose start is another one, or the end
itself as Grafana writes it, ends the open one. Several senders, and several severities, tell of one
incident while their intervals overlap.

The severity is the gravest that it reached: the label ``severity``, in any case, else ``priority``, through
the workspace's mapping (critical, page, warning, P1, SEV-2, in any case); unknown is p3 and told. Severity
none, Watchdog and InfoInhibitor are heartbeats and no incidents: written, in no figure. The mapping of
heartbeats can name more.

A rule of the workspace (``mapping set link NAME same``) makes an alert part of the incident whose key or
address a field holds: ``alertmanager labels.NAME``, ``alertmanager annotations.NAME`` (of a sentence its
first address) or ``alertmanager generatorURL``.

An alert that ends before it begins is named and told as over; the others of its group are taken. Alerts
that the sender cut off (``truncatedAlerts``) are told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aggregators.incidents.alerts import PREFIX
from aggregators.records.mentions import pack_mentions
from aggregators.vocabulary.fields import title
from ingest.documents import (
    broken_row,
    cell_text,
    event,
    json_items,
    qualified_key,
    record,
    value_at,
)
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord

GRAVE = ("severity", "priority")
"""Labels that say how grave an alert is, the first that it has; it is not part of its identity."""
ON_ONE_LINE = title()
NO_END = "0001"


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A statement for each alert of each group."""
    for position, (pointer, payload) in enumerate(json_items(reading)):
        if isinstance(value_at(payload, "labels"), Mapping) and value_at(payload, "startsAt"):
            yield _alert(reading, payload, payload, pointer, position)
            continue
        name = "data" if isinstance(value_at(payload, "data"), list) else "alerts"
        alerts = value_at(payload, name)
        if not isinstance(alerts, list):
            yield broken_row(reading, _without_alerts(payload), pointer)
            continue
        if cut := value_at(payload, "truncatedAlerts"):
            reading.warn(
                f"lacks {cell_text(cut)[:20]} alerts, which the sender cut off (max_alerts)"
            )
        for number, alert in enumerate(alerts):
            yield _alert(reading, alert, payload, f"{pointer}/{name}/{number}", position)


def _without_alerts(payload: Any) -> str:
    """Name of a body without a list of alerts."""
    if isinstance(value_at(payload, "data.alerts"), list):
        return "is Prometheus' own list of alerts, which has no ends: take its Alertmanager's"
    if value_at(payload, "evalMatches") is not None or value_at(payload, "ruleName") is not None:
        return "is a hook of Grafana's legacy alerting: Grafana alerting is read, from version 9 on"
    return "has no list of alerts"


def _alert(reading: FormatInput, alert: Any, group: Any, pointer: str, position: int) -> RawRecord:
    labels = value_at(alert, "labels")
    given = labels.items() if isinstance(labels, Mapping) else ()
    labels = {name: text for name, value in given if (text := cell_text(value))}
    identity = _identity(labels, cell_text(value_at(alert, "fingerprint")))
    if not identity:
        return broken_row(reading, "is no alert: it has neither labels nor a fingerprint", pointer)
    start, end = cell_text(value_at(alert, "startsAt")), cell_text(value_at(alert, "endsAt"))
    cells = {
        "key": identity,
        "title": cell_text(value_at(alert, "annotations.summary")) or labels.get("alertname", ""),
        "alert": _name(labels)[:200],
        "sender": cell_text(value_at(group, "externalURL"))[:500],
        "severity": labels.get(_grave(labels), "")[:60],
        "mentions": _mentions(alert, labels),
    }
    columns = {"starts_at": "startsAt"}
    if _is_over(alert, group):
        if end and not end.startswith(NO_END):
            columns["ends_at"] = "endsAt"
        else:
            cells["over"] = "yes"
    row = record(reading, alert, columns, pointer, {k: v for k, v in cells.items() if v})
    instant = end if "ends_at" in columns else start
    return event(row, instant, position)._replace(identity=f"{PREFIX}{identity}")


def _mentions(alert: Any, labels: Mapping[str, str]) -> str:
    """Labels, annotations and the address of what fired, by which a rule may link the alert."""
    given = value_at(alert, "annotations")
    annotations = given if isinstance(given, Mapping) else {}
    named: dict[str, object] = {f"annotations.{name}": value for name, value in annotations.items()}
    named |= {f"labels.{name}": value for name, value in labels.items() if name != _grave(labels)}
    return pack_mentions("alertmanager", named | {"generatorURL": value_at(alert, "generatorURL")})


def _is_over(alert: Any, group: Any) -> bool:
    """Whether the alert is resolved; one of Alertmanager's own list says how it is suppressed instead."""
    status = value_at(alert, "status")
    if isinstance(status, Mapping):
        return False
    return cell_text(status if status is not None else value_at(group, "status")) == "resolved"


def _identity(labels: Mapping[str, str], fingerprint: str) -> str:
    """The alert's name and the digest of its labels without how grave it is; else its fingerprint."""
    grave = _grave(labels)
    own = {name: value for name, value in labels.items() if name != grave}
    if not own:
        return fingerprint[:100]
    digest = hashlib.blake2b(json.dumps(own, sort_keys=True).encode(), digest_size=8).hexdigest()
    return qualified_key(_name(own)[:100], digest)


def _grave(labels: Mapping[str, str]) -> str:
    """Name of the label that says how grave the alert is, in whatever case; empty where none does."""
    return next((name for grave in GRAVE for name in sorted(labels) if name.lower() == grave), "")


def _name(labels: Mapping[str, str]) -> str:
    """The alert's name, without control characters."""
    name = labels.get("alertname", "")
    return name if name.isprintable() else str(ON_ONE_LINE(name))


FORMAT = Format(
    "alertmanager",
    {"incidents": read},
    "Prometheus Alertmanager webhooks",
    sniff=lambda head: b'"alerts"' in head and b'"groupKey"' in head,
    ingest=True,
)
