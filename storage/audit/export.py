"""Events of the audit as lines for another system: JSON, or ArcSight's Common Event Format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

import instants

EVENTS = text("""
select e.id, e.at, e.actor, e.action, e.subject, e.details, encode(e.hash, 'hex') as hash,
       l.position, encode(l.hash, 'hex') as link
from audit_event e left join audit_link l on l.event_id = e.id
where e.at >= :since order by e.id
""")
HEADER = "CEF:0|Vigilo|Vigilo Executive|1|"
SEVERITY, GRAVE = 3, 7
"""CEF's 0 to 10: what people do, and what was refused or taken away."""
REFUSALS = ("deny", "denied", "fail", "failure", "revoke", "deactivate", "drop")


def as_json(row: Row[Any]) -> str:
    """An event as a JSON object."""
    event = dict(row._mapping) | {"at": instants.exact(row.at)}
    return json.dumps(event, ensure_ascii=False, default=str)


def as_cef(row: Row[Any]) -> str:
    """An event in CEF: a header and pairs, with what ends either of them escaped."""
    verb = row.action.rpartition(".")[2]
    grave = GRAVE if verb in REFUSALS else SEVERITY
    pairs = {
        "rt": str(int(row.at.timestamp() * 1000)),
        "externalId": str(row.id),
        "suser": row.actor,
        "act": row.action,
        "cs1Label": "subject",
        "cs1": row.subject or "",
        "cs2Label": "link",
        "cs2": row.link or "",
        "msg": json.dumps(row.details, ensure_ascii=False, default=str),
    }
    return (
        HEADER + f"{_escape_value(row.action)}|{_escape_value(row.action)}|{grave}|" + _pairs(pairs)
    )


def _escape_value(value: str) -> str:
    """A value as it stands between the bars of a line."""
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def _pairs(pairs: Mapping[str, str]) -> str:
    escaped = {
        key: value.replace("\\", "\\\\")
        .replace("=", "\\=")
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        for key, value in pairs.items()
    }
    return " ".join(f"{key}={value}" for key, value in escaped.items())


FORMATS: Mapping[str, Callable[[Row[Any]], str]] = {"jsonl": as_json, "cef": as_cef}


def lines(connection: Connection, since: datetime, form: str) -> Iterator[str]:
    """Events since an instant, the oldest first, each as a line. As the job role, within a transaction."""
    stream = connection.execution_options(stream_results=True, yield_per=1000)
    for row in stream.execute(EVENTS, {"since": since}):
        yield FORMATS[form](row)
