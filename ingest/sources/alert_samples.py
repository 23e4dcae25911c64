"""Incidents from the samples of alerts in Prometheus, and from what Alertmanager has now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

import instants
from ingest.documents import value_at
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Pull, PulledPiece, PullScope

Api = Callable[[str, Mapping[str, str]], Any]
"""Asks one way of the HTTP API (``query``, ``query_range``) with parameters. Raises NoAnswer."""
LOOK_BACK = timedelta(hours=6)
"""How far back alerts are asked for again."""
GAP = 1.5
"""Evaluation intervals without a sample after which an alert was over."""

NOT_LABELS = ("__name__", "alertstate")

ALERTS = 'ALERTS{{alertstate="firing"}}[{seconds}s]'


def alerts_pulled(pull: Pull, scope: PullScope, api: Api) -> Iterator[PulledPiece]:
    """Alerts that fired since the last run, as Alertmanager would tell them, each with its end."""
    cursor = pull.memory.cursor(scope.external_id, "alerts")
    since = datetime.fromtimestamp(cursor["to"], UTC) if cursor else pull.since
    window = min(pull.now - since + LOOK_BACK, pull.now - pull.since)
    document = api("query", {"query": ALERTS.format(seconds=int(window.total_seconds()) or 1)})
    opened = dict(pull.memory.items(scope.external_id, 10_000))
    alerts, still = pieces_of_alerts(document, pull, opened)
    if address := pull.settings["alertmanager"]:
        alerts = [a for a in alerts if a["status"] == "resolved"] + firing_now(pull, address)
    instants = [datetime.fromisoformat(a["startsAt"].replace("Z", "+00:00")) for a in alerts]
    told_at = max((float(p[0]) for s in _series(document) for p in s["values"]), default=0.0)
    yield PulledPiece(
        scope,
        "alerts",
        {"to": told_at or since.timestamp()},
        form="alertmanager",
        content=orjson.dumps(alerts) if alerts else None,
        first=min(instants, default=None),
        items={key: start for key, start in still.items() if key not in opened},
        done=[key for key in opened if key not in still],
        progress=f"{len(alerts)} alerts",
    )


def _series(document: Any) -> list[Any]:
    result = value_at(document, "data.result")
    if value_at(document, "data.resultType") != "matrix" or not isinstance(result, list):
        raise SourceProblem("changed_shape", "Prometheus gives no samples of alerts.")
    return result


def pieces_of_alerts(
    document: Any, pull: Pull, opened: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Alerts by their runs of samples, and the starts of those that fire still, by their labels. ``opened``
    are starts of alerts whose samples begin before what was asked for."""
    alerts, still = [], {}
    series = _series(document)
    step = _interval([s["values"] for s in series])
    newest = max((float(s["values"][-1][0]) for s in series), default=0.0)
    for each in series:
        labels = {k: v for k, v in each["metric"].items() if k not in NOT_LABELS}
        labels |= _labels(pull.settings["labels"])
        key = orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode()
        for number, (begins, ends) in enumerate(_runs([float(p[0]) for p in each["values"]], step)):
            start = opened[key] if number == 0 and key in opened else _stamp(begins)
            alert = {"labels": labels, "startsAt": start, "externalURL": _sender(pull)}
            if ends + GAP * step < newest or ends + 5 * step < pull.now.timestamp():
                alert |= {"endsAt": _stamp(ends + step), "status": "resolved"}
            else:
                alert["status"] = "firing"
                still[key] = start
            alerts.append(alert)
    return alerts, still


def _interval(every: Sequence[Sequence[Sequence[Any]]]) -> float:
    """Seconds between evaluations: the least distance of two samples."""
    gaps = [float(b[0]) - float(a[0]) for values in every for a, b in pairwise(values)]
    return min((gap for gap in gaps if gap > 0), default=60.0)


def _runs(instants: Sequence[float], step: float) -> list[tuple[float, float]]:
    """First and last instant of each run of samples without a gap."""
    runs: list[tuple[float, float]] = []
    for instant in instants:
        if runs and instant - runs[-1][1] <= GAP * step:
            runs[-1] = (runs[-1][0], instant)
        else:
            runs.append((instant, instant))
    return runs


def _stamp(instant: float) -> str:
    return instants.exact(datetime.fromtimestamp(instant, UTC), "milliseconds")


def _sender(pull: Pull) -> str:
    return (
        pull.settings["external_url"] or pull.settings["alertmanager"] or pull.settings["address"]
    )


def _labels(lines: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def firing_now(pull: Pull, base: str) -> list[dict[str, Any]]:
    """Alerts that Alertmanager has now, silenced and inhibited ones among them."""
    client = pull.client(base)
    listed = client.get(
        "/api/v2/alerts", {"active": "true", "silenced": "true", "inhibited": "true"}
    ).json
    if not isinstance(listed, list):
        raise SourceProblem("changed_shape", "Alertmanager gives no list of alerts.")
    return [
        {
            "labels": alert["labels"],
            "annotations": alert.get("annotations", {}),
            "startsAt": alert["startsAt"],
            "status": "firing",
            "externalURL": _sender(pull),
        }
        for alert in listed
    ]
