"""JSON that a person's programs get: each payload from the read that the pages make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from aggregators.catalogue import domains as all_domains
from aggregators.pooling.dashboard import WorkspaceView
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.listing import Column, Listing, RecordsPage, RecordsRequest
from aggregators.vocabulary.measure import Measure
from aggregators.vocabulary.period import Ask
from api.queries import KEYS, DashboardQuery, PeriodQuery, RecordsPageQuery
from api.records import LISTINGS, listing_request
from api.routes import asked_for
from layouts.executive.drawer import AnswerSource, source_of
from reading.encode import answer_json, compared_json, figure_json, instant, number
from storage import context
from storage.executive import memberships
from web.problem import Problem
from web.services import Services

Json = dict[str, Any]


def dashboard(services: Services, query: DashboardQuery) -> Json:
    """The executive dashboard. Raises NotPlatformAdmin, InvalidPeriod."""
    return asked_for(services.read(services.viewer(), query.ask, query.domain), query)


def workspaces(services: Services) -> Json:
    """Workspaces of the person, by name, each with their role there."""
    with context.as_viewer(services.web, services.viewer()) as connection:
        mine = memberships.memberships(connection)
    return {"workspaces": [{"slug": m.slug, "name": m.name, "role": m.role} for m in mine]}


def workspace(services: Services, slug: str, key: str, query: PeriodQuery) -> Json:
    """Figures of a domain in a workspace. Raises NotAMember, InvalidPeriod, Problem 404."""
    return _workspace_json(services.workspace(slug, _domain_key(key), query.ask))


def records(services: Services, slug: str, key: str, query: RecordsPageQuery) -> Json:
    """Records behind a domain's figures in a workspace, from ``offset`` on. Raises NotAMember,
    InvalidPeriod, InvalidRequest, NotText, Problem 404 and 422."""
    listing = LISTINGS.get(_domain_key(key))
    if listing is None:
        raise Problem(404, "The domain lists no records.")
    links, wanted = query.narrowing, listing_request(listing, query)
    wanted = replace(wanted, first=query.offset, last=query.offset + query.limit)
    page = services.told_records(slug, key, query.ask, links, wanted)
    return _records_json(page, listing, links, wanted)


def why(services: Services, key: str, query: PeriodQuery) -> Json:
    """An answer of the dashboard with its figure, and the first records behind it where the person may
    open them. Raises NotPlatformAdmin, InvalidPeriod, Problem 404."""
    read = services.read(services.viewer(), query.ask.plain)
    source = source_of(read, key)
    if source is None:
        known = ", ".join(answer.key for answer in read.answers)
        raise Problem(404, f"There is no such answer; there are {known}." if known else "")
    figure = source.figure
    return {
        "answer": answer_json(source.answer),
        "domain": source.scorecard.domain.key if source.scorecard else None,
        "measure": source.answer.measure if figure else None,
        "definition": figure.measure.definition if figure else None,
        "figure": figure_json(figure) if figure else None,
        "as_of": read.as_of,
        "records": _evidence(services, source, query.ask),
    }


def definitions(services: Services) -> Json:
    """Every measure of every domain as it is counted, with the thresholds in force."""
    declared = all_domains((), services.settings.thresholds)
    return {"domains": [_definition_json(domain) for domain in declared]}


def _domain_key(key: str) -> str:
    if key not in KEYS:
        raise Problem(404, f"There is no such domain; there are {', '.join(KEYS)}.")
    return key


def _workspace_json(view: WorkspaceView) -> Json:
    """JSON of a workspace's page of a domain."""
    period = view.period
    return {
        "workspace": view.slug,
        "name": view.name,
        "role": view.role,
        "domain": view.domain.key,
        "title": view.domain.title,
        "headline": view.domain.headline,
        "time_zone": view.time_zone,
        "as_of": view.as_of,
        "snapshot_at": instant(view.snapshot_at),
        "period": {
            "preset": period.preset,
            "start": period.start,
            "end": period.end,
            "days": period.days,
            **compared_json(period),
        },
        "href": view.domain.page(view.slug),
        "measures": {key: figure_json(figure) for key, figure in view.figures.items()},
    }


def _records_json(
    page: RecordsPage, listing: Listing, links: Mapping[str, str], wanted: RecordsRequest
) -> Json:
    narrowed = listing.narrowing(listing.known_links(links))
    span = page.span
    return {
        "title": listing.title,
        "about": listing.about,
        "narrowed": narrowed or None,
        "start": span.start if span else None,
        "end": span.end if span else None,
        "offset": wanted.first,
        "total": page.total,
        "columns": [{"key": c.key, "title": c.title, "type": c.type.value} for c in page.columns],
        "rows": [_row(page.columns, row) for row in page.rows],
    }


def _row(columns: tuple[Column, ...], row: tuple[object, ...]) -> Json:
    return {column.key: _cell(value) for column, value in zip(columns, row, strict=True)}


def _cell(value: object) -> object:
    """A cell as JSON has it: instants in UTC, days, finite numbers, text."""
    if isinstance(value, datetime):
        return instant(value)
    if value is None or isinstance(value, date | str | bool):
        return value
    if isinstance(value, float | Decimal):
        return number(float(value))
    return value if isinstance(value, int) else str(value)


def _evidence(services: Services, source: AnswerSource, ask: Ask) -> Json | None:
    page = services.evidence(source, ask)
    if page is None or source.listing is None or source.first_records is None:
        return None
    return _records_json(page, source.listing, source.links, source.first_records)


def _definition_json(domain: Domain) -> Json:
    return {
        "key": domain.key,
        "title": domain.title,
        "headline": domain.headline,
        "group": domain.by,
        "workspace_page": domain.workspace_page,
        "measures": [_measure_json(measure) for measure in domain.measures],
        "counts_as": [{"thing": o.thing, "rule": o.rule} for o in domain.ones],
    }


def _measure_json(measure: Measure) -> Json:
    return {
        "key": measure.key,
        "title": measure.title,
        "kind": measure.kind,
        "unit": measure.unit.value,
        "better": measure.better.value,
        "definition": measure.definition,
        "watch": measure.watch,
        "bad": measure.bad,
    }
