"""Asks a Prometheus for the good and total events of each day: ``records fetch slo-days``.

For every objective whose queries are known (Sloth's ``error_query`` and ``total_query``): each query is
asked once for each day, at the day's end in the reporting time zone, with the day's length as its window.
A rate times the seconds of the day is the number of events.
"""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from storage.context import job_in
from storage.database import Database
from storage.models import objective
from storage.records.documents import at
from storage.records.fields import shown
from storage.records.formats.form import Format
from storage.records.importer import load, workspace_id
from storage.records.kinds import SLO_DAYS, Fault
from storage.records.reader import Raw, Reading
from storage.records.report import Outcome

WINDOW = "{{.window}}"
LARGEST, TIMEOUT = 1024 * 1024, 30.0


class NoAnswer(Exception):
    """Prometheus gave no number; the message says why."""


def address(given: str) -> str:
    """The base of the HTTP API. Raises ValueError."""
    parts = urllib.parse.urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"takes http://HOST:PORT or https://HOST, not {shown(given)}")
    return given.rstrip("/")


def ask(base: str, query: str, moment: datetime) -> float | None:
    """The query's one number at that moment, None where there is no series. Raises NoAnswer."""
    body = urllib.parse.urlencode({"query": query, "time": f"{moment.timestamp():.3f}"}).encode()
    try:
        with urllib.request.urlopen(  # noqa: S310 -- ``address`` takes http and https alone
            f"{base}/api/v1/query", body, timeout=TIMEOUT
        ) as answer:
            found = json.loads(answer.read(LARGEST))
    except urllib.error.HTTPError as error:
        raise NoAnswer(_said(error.read(LARGEST)) or f"answers {error.code}") from error
    except (OSError, ValueError) as error:
        raise NoAnswer(f"does not answer: {getattr(error, 'reason', error)}") from error
    series = at(found, "data.result")
    if at(found, "data.resultType") != "vector" or not isinstance(series, list):
        raise NoAnswer("the query gives no vector")
    if len(series) > 1:
        raise NoAnswer(f"the query gives {len(series)} series: put sum() around it")
    try:
        value = float(at(series, "0.value.1")) if series else math.nan
    except (TypeError, ValueError) as error:
        raise NoAnswer("the query gives no number") from error
    return value if math.isfinite(value) else None


def _said(body: bytes) -> str:
    try:
        return str(at(json.loads(body), "error") or "")[:200]
    except ValueError:
        return ""


def fetch(
    database: Database, base: str, slug: str, first: date, last: date, zone: ZoneInfo
) -> Outcome:
    """The days of every objective with queries, as an import of ``slo-days``; a day without traffic is
    left out, a query that gives no number a rejected row.

    Raises NoSuchWorkspace.
    """
    found = workspace_id(database, slug)
    columns = (objective.c.key, objective.c.error_query, objective.c.total_query)
    with job_in(database.job, found) as connection:
        known = connection.execute(select(*columns).order_by(objective.c.key)).all()

    def read(reading: Reading) -> Iterator[Raw]:
        for key, errors, total in known:
            if not errors or not total:
                reading.warn(f"left out {key}: it has no queries")
                continue
            for offset in range((last - first).days + 1):
                day = first + timedelta(days=offset)
                yield from _day(reading, base, (key, errors, total), day, zone)

    form = Format("prometheus", {SLO_DAYS.name: read})
    (outcome,) = load(database, SLO_DAYS, [Path("prometheus")], workspace=slug, form=form)
    return outcome


def _day(
    reading: Reading, base: str, of: tuple[str, str, str], day: date, zone: ZoneInfo
) -> Iterator[Raw]:
    key, errors, total = of
    begins, ends = (datetime.combine(d, time(), zone) for d in (day, day + timedelta(days=1)))
    seconds = ends.timestamp() - begins.timestamp()  # 23 or 25 hours where the clock changes
    cells: dict[str, Any] = {"key": key, "day": day.isoformat()}
    try:
        events = ask(base, total.replace(WINDOW, f"{seconds:.0f}s"), ends)
        if not events:
            return
        bad = ask(base, errors.replace(WINDOW, f"{seconds:.0f}s"), ends) or 0.0
    except NoAnswer as problem:
        fault = Fault("", f"{key} on {day}: {problem}")
        yield Raw(reading.path, 0, cells, fault)
        return
    counted = events * seconds
    good = max(counted - bad * seconds, 0.0)
    yield Raw(reading.path, 0, cells | {"good": f"{good:.6f}", "total": f"{counted:.6f}"})
