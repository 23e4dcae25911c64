"""Prometheus and Alertmanager: SLO days, and incidents from alerts; also ``records fetch slo-days``.

For every objective whose queries are known (Sloth's ``error_query`` and ``total_query``), each query is
asked for all days of equal length at once, a step a day apart, at the days' ends in the reporting time
zone, with the day's length as its window. A rate times the seconds of the day is the number of events. A
server that answers such a range with one instant's vector is asked day by day.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from aggregators.records.kinds import Fault
from aggregators.vocabulary import formats
from aggregators.vocabulary.fields import printable
from ingest.documents import value_at
from ingest.formats.form import Format
from ingest.importer import load, workspace_id
from ingest.kinds import KINDS
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import HistoryGrowth, Pull, PulledPiece, PullScope, Setting, Source
from ingest.reader import FormatInput, RawRecord, UnreadableFile
from ingest.report import ImportOutcome
from ingest.sources.alert_samples import (
    ALERTS,
    Api,
    alerts_pulled,
    firing_now,
    pieces_of_alerts,
)
from storage.context import job_in
from storage.database import Database

OBJECTIVES, DAYS = KINDS["slos"].table, KINDS["slo-days"]
WINDOW = re.compile(r"\{\{-?\s*\.?\s*window\s*-?\}\}")
"""Sloth's place for the window in a query, however it is spaced."""
LARGEST, TIMEOUT = 4 * 1024 * 1024, 30.0
POINTS = 11_000
"""Most points of a series that Prometheus gives at once."""
SILENCES = 3
"""Requests in a row without an answer after which no further one is made."""
TOKEN, USER = "VIGILO_PROMETHEUS_TOKEN", "VIGILO_PROMETHEUS_USER"


class NoAnswer(SourceProblem):
    """Prometheus gave no numbers; the message says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__("changed_shape", sentence)


class SilentPrometheus(NoAnswer):
    """Nothing answers at the address."""


class ObjectiveQueries(NamedTuple):
    """An objective's key and its queries for errors and for all events."""

    key: str
    errors: str
    total: str


@dataclass(frozen=True, slots=True)
class DayRun:
    """Days in a row that are equally long, by the instants at which they end."""

    ends: Mapping[float, date]
    seconds: float


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: whoever answers with another address does not choose whom we ask."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """No further request."""
        return


def address(given: str) -> str:
    """The base of the HTTP API. Raises ValueError."""
    parts = urllib.parse.urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"takes http://HOST:PORT or https://HOST, not {printable(given)}")
    if "@" in parts.netloc:
        raise ValueError(
            f"takes no password in the address: set {TOKEN}, or {USER} to USER:PASSWORD"
        )
    return given.rstrip("/")


def credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """The header that signs in, from the environment: a bearer token, else USER:PASSWORD."""
    if token := environment.get(TOKEN):
        return {"Authorization": f"Bearer {token}"}
    if user := environment.get(USER):
        return {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
    return {}


def ask(api: Api, query: str, ends: Sequence[float], step: float) -> dict[float, float]:
    """The query's one series at equally distant instants; none at an instant is absent. Raises NoAnswer."""
    values: dict[float, float] = {}
    for first in range(0, len(ends), POINTS):
        some = ends[first : first + POINTS]
        span = {"start": f"{some[0]:.3f}", "end": f"{some[-1]:.3f}", "step": f"{step:.0f}"}
        answer = api("query_range", {"query": query, **span})
        if value_at(answer, "data.resultType") == "vector":
            values |= _one_by_one(api, query, some)
        else:
            values |= _values(answer)
    return values


def _one_by_one(api: Api, query: str, ends: Sequence[float]) -> dict[float, float]:
    values: dict[float, float] = {}
    for end in ends:
        answer = api("query", {"query": query, "time": f"{end:.3f}"})
        if point := value_at(_only_series(answer, "vector"), "value"):
            values |= _points([[end, value_at(point, "1")]])
    return values


def _answer(base: str, way: str, parameters: Mapping[str, str]) -> Any:
    """The API's answer to a query of an instant or a range. Raises NoAnswer."""
    request = urllib.request.Request(  # noqa: S310 -- ``address`` takes http and https alone
        f"{base}/api/v1/{way}",
        urllib.parse.urlencode(parameters).encode(),
        credentials(os.environ),
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
            body = answer.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise NoAnswer(_reason(error)) from error
    except (OSError, ValueError) as error:
        raise SilentPrometheus(f"does not answer: {getattr(error, 'reason', error)}") from error
    if len(body) > LARGEST:
        raise NoAnswer(f"answers with more than {LARGEST // 2**20} MB: put sum() around the query")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoAnswer("answers with no JSON: is this a Prometheus?") from error


def _reason(error: urllib.error.HTTPError) -> str:
    """Why it refuses, in its own words where it has any."""
    if 300 <= error.code < 400:
        return f"answers {error.code}, to another address, which is not followed: name that one"
    try:
        error_text = str(value_at(json.loads(error.read(LARGEST)), "error") or "")[:200]
    except ValueError:
        error_text = ""
    return error_text or f"answers {error.code}"


def _values(answer: Any) -> dict[float, float]:
    """Instant to number of an answer's one series. Raises NoAnswer."""
    return _points(value_at(_only_series(answer, "matrix"), "values") or [])


def _only_series(answer: Any, kind: str) -> Any:
    """The one series of an answer of that kind, None where it has none. Raises NoAnswer."""
    series = value_at(answer, "data.result")
    if value_at(answer, "data.resultType") != kind or not isinstance(series, list):
        raise NoAnswer("the query gives no vector")
    if len(series) > 1:
        raise NoAnswer(f"the query gives {len(series)} series: put sum() around it")
    return series[0] if series else None


def _points(points: Any) -> dict[float, float]:
    """Instant to finite number. Raises NoAnswer."""
    try:
        values_by_instant = {float(instant): float(value) for instant, value in points}
    except (TypeError, ValueError) as error:
        raise NoAnswer("the query gives no number") from error
    return {instant: value for instant, value in values_by_instant.items() if math.isfinite(value)}


def fetch(
    database: Database, base: str, slug: str, first: date, last: date, zone: ZoneInfo
) -> ImportOutcome:
    """The days of every objective with queries, as an import of ``slo-days``; a day without traffic, or
    from before Prometheus' data, is left out, a query that gives no number a rejected row.

    Raises NoSuchWorkspace.
    """
    objectives = objectives_of(database, slug)
    runs = day_runs(first, last, zone)

    form = _form(partial(_answer, base), objectives, runs)
    (outcome,) = load(
        database, DAYS, [Path("prometheus")], workspace=slug, form=form, as_deliveries=True
    )
    return outcome


def _form(api: Api, objectives: Sequence[ObjectiveQueries], runs: Sequence[DayRun]) -> Format:
    """The objectives' days as a file would hold them."""

    def read(reading: FormatInput) -> Iterator[RawRecord]:
        yield from _of_objectives(reading, api, objectives, runs)

    return Format("prometheus", {DAYS.name: read})


def objectives_of(database: Database, slug: str) -> list[ObjectiveQueries]:
    """Objectives of a workspace with their queries, by key. Raises NoSuchWorkspace."""
    workspace = workspace_id(database, slug)
    columns = (OBJECTIVES.c.key, OBJECTIVES.c.error_query, OBJECTIVES.c.total_query)
    with job_in(database.job, workspace) as connection:
        rows = connection.execute(select(*columns).order_by(OBJECTIVES.c.key)).all()
    return [ObjectiveQueries(*row) for row in rows]


def day_runs(first: date, last: date, zone: ZoneInfo) -> list[DayRun]:
    """The days from first to last in runs of equal length: one of 23 or 25 hours, where the clock changes,
    is a run of its own."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 2)]
    edges = [datetime.combine(day, time(), zone).timestamp() for day in days]
    runs: list[tuple[dict[float, date], float]] = []
    for day, (begins, ends) in zip(days, pairwise(edges), strict=False):
        if not runs or runs[-1][1] != ends - begins:
            runs.append(({}, ends - begins))
        runs[-1][0][ends] = day
    return [DayRun(ends, seconds) for ends, seconds in runs]


def _of_objectives(
    reading: FormatInput, api: Api, objectives: Sequence[ObjectiveQueries], runs: Sequence[DayRun]
) -> Iterator[RawRecord]:
    """The days of each objective; after so many requests without an answer no further one is made."""
    silences = 0
    for objective in objectives:
        if not objective.errors or not objective.total:
            reading.warn(f"left out {objective.key}: it has no queries")
            continue
        for run in runs:
            try:
                yield from _days(reading, api, objective, run)
                silences = 0
            except NoAnswer as problem:
                silences = silences + 1 if isinstance(problem, SilentPrometheus) else 0
                yield _row_without_answer(reading, objective, run, problem)
            if silences == SILENCES:
                raise UnreadableFile(f"gave no answer {SILENCES} times; nothing more was asked")


def _row_without_answer(
    reading: FormatInput, objective: ObjectiveQueries, run: DayRun, problem: NoAnswer
) -> RawRecord:
    """A row that says for which days an objective had no answer, and why."""
    first, *_, last = *run.ends.values(), *run.ends.values()
    days = f"on {first}" if first == last else f"from {first} to {last}"
    cells = {"key": objective.key, "day": first.isoformat()}
    return RawRecord(reading.path, 0, cells, Fault("", f"{objective.key} {days}: {problem}"))


def _days(
    reading: FormatInput, api: Api, objective: ObjectiveQueries, run: DayRun
) -> Iterator[RawRecord]:
    """The days of one objective within a run. Raises NoAnswer."""
    window = f"{run.seconds:.0f}s"
    ends = list(run.ends)
    rates = ask(api, WINDOW.sub(window, objective.total), ends, run.seconds)
    if not any(rates.values()):
        return
    failing = ask(api, WINDOW.sub(window, objective.errors), ends, run.seconds)
    for end, day in run.ends.items():
        total = rates.get(end, 0.0) * run.seconds
        if total:
            good = max(total - failing.get(end, 0.0) * run.seconds, 0.0)
            cells = {"key": objective.key, "day": day.isoformat()}
            amounts = {"good": f"{good:.6f}", "total": f"{total:.6f}"}
            yield RawRecord(reading.path, 0, cells | amounts)


OVERLAP_DAYS, BLOCK_DAYS = 3, 90
"""Days that are asked for again, since recording rules come late; days that are asked for at once."""


def _api_of_pull(pull: Pull, base: str) -> Api:
    """The API of a Prometheus as the source's client asks it."""
    signing = credentials(
        {TOKEN: pull.secret, USER: ""} if ":" not in pull.secret else {USER: pull.secret}
    )
    headers = signing if pull.secret else {}
    if tenant := pull.settings["tenant"]:
        headers = {**headers, "X-Scope-OrgID": tenant}
    client = pull.client(base, headers)

    def ask_it(way: str, parameters: Mapping[str, str]) -> Any:
        answer = client.get(f"/api/v1/{way}", parameters, accepts=(400, 422))
        pull.keep_time()
        document = answer.json
        if value_at(document, "status") != "success":
            raise NoAnswer(str(value_at(document, "error") or f"answers {answer.status}")[:200])
        return document

    return ask_it


def _test_connection(pull: Pull) -> list[str]:
    api = _api_of_pull(pull, pull.settings["address"])
    pieces_of_alerts(api("query", {"query": ALERTS.format(seconds=3600)}), pull, {})
    sentences = ["Prometheus answers queries."]
    if address := pull.settings["alertmanager"]:
        count = len(firing_now(pull, address))
        sentences.append(f"Alertmanager answers: {count} alerts are there now.")
    return sentences


def _pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Alerts first, then the days of each objective."""
    api = _api_of_pull(pull, pull.settings["address"])
    for scope in pull.scopes:
        if pull.settings["incidents"] == "yes":
            yield from alerts_pulled(pull, scope, api)
        yield from _slo_days(pull, scope, api)


def _slo_days(pull: Pull, scope: PullScope, api: Api) -> Iterator[PulledPiece]:
    """Blocks of days up to yesterday, newest first the first time."""
    objectives = [o for o in objectives_of(pull.database, scope.workspace) if o.errors and o.total]
    if not objectives:
        pull.note(
            "No objective of the workspace has queries: import its SLOs from OpenSLO or Sloth."
        )
        return
    yesterday = pull.now.astimezone(pull.zone).date() - timedelta(days=1)
    cursor = pull.memory.cursor(scope.external_id, "slo-days")
    known = date.fromisoformat(cursor["to"]) if cursor else None
    first = pull.since.astimezone(pull.zone).date()
    if known is not None:
        first = max(known - timedelta(days=OVERLAP_DAYS), first)
    while first <= yesterday:
        last = min(first + timedelta(days=BLOCK_DAYS - 1), yesterday)
        runs = day_runs(first, last, pull.zone)
        began = datetime.combine(first, time(), pull.zone)
        yield PulledPiece(
            scope,
            "slo-days",
            {"to": last.isoformat()},
            form=_form(api, objectives, runs),
            kind=DAYS.name,
            first=began,
            progress=f"SLO days to {formats.day(last)}",
        )
        first = last + timedelta(days=1)


SOURCE = Source(
    kind="prometheus",
    title="Prometheus and Alertmanager",
    about="Good and total events of each day for every objective whose queries are known, and incidents"
    " from alerts. Webhooks of Alertmanager may come beside it: what they lose (an end within the group"
    " interval, an end under a silence) is repaired from Prometheus' samples.",
    fills=("slo-days", "incidents"),
    settings=(
        Setting("address", "Prometheus", "address", help="Such as https://prometheus.example.com."),
        Setting("alertmanager", "Alertmanager", "address", required=False,
                help="Its address, where its list of alerts is to be read as well."),
        Setting("external_url", "Alertmanager's external URL", "address", required=False,
                help="As its webhooks tell it (externalURL), where they come too; so both are one sender."),
        Setting("incidents", "Alerts are incidents", "choice", "yes", choices=("yes", "no"),
                help="Severity none, Watchdog and InfoInhibitor never are."),
        Setting("labels", "External labels", "lines", required=False,
                help="NAME=VALUE a line, as in external_labels: alerts carry them, samples do not."),
        Setting("tenant", "X-Scope-OrgID", required=False, help="The tenant, of Mimir or Cortex."),
    ),
    pull=_pull_pieces,
    test=_test_connection,
    credential="Bearer token, or USER:PASSWORD; empty where none is needed",
    permissions=("Reading of /api/v1/query and /api/v1/query_range", "Reading of /api/v2/alerts"),
    history="As far back as Prometheus keeps its data (15 days unless it is told otherwise); days before"
    " that are no data, not zero.",
    limits="Two requests an objective for up to 90 days; one for all alerts.",
    minutes=5,
    growth=HistoryGrowth(span=BLOCK_DAYS),
)  # fmt: skip
