"""The records behind a workspace's figures: a page for the grid, or all of them as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from aggregators.catalogue import domains as all_domains
from aggregators.vocabulary.listing import Listing, RecordsPage, RecordsRequest
from aggregators.vocabulary.period import Ask
from reading.workspace_page import OpenWorkspace, open_workspace
from settings import Settings
from storage import listings
from storage.bounds.statement import limited_statements
from storage.bounds.turns import Turns, one_at_a_time
from storage.chosen import store
from storage.database import Database
from storage.listings import RecordsScope
from storage.viewer import Viewer

PAGE_SECONDS = 4.0
"""A page of the grid is a read of milliseconds; one that takes this long is a filter made to be slow."""
LONG = 60
"""Characters to look for within texts, beyond which a filter is dear: nobody types as many in a hurry."""
DEAR = Turns(at_once=1, patience_seconds=2 * PAGE_SECONDS)
"""Turns of dear filters, one at a time in a process: eight would keep every core of the database busy."""
REST = 1.0
"""Of a machine's dear filters, in times of each: half of a core at most."""
DEAR_OF_MACHINE = Path("turns", "filter")
"""Lock below the data directory: a machine has one dear filter at a time, whatever its processes."""
ADVICE = "That filter takes too long: shorten its text, or the period."


def read_records(
    database: Database,
    viewer: Viewer,
    slug: str,
    domain_key: str,
    ask: Ask,
    settings: Settings,
    links: Mapping[str, str],
    request: RecordsRequest,
) -> RecordsPage:
    """A page of the records behind the figures, in the workspace's context. Raises as
    ``open_workspace``, TooCostly, Busy, and KeyError for a domain without records."""
    listing = _listing_of_domain(domain_key)
    with ExitStack() as opened:
        if _is_dear(request):
            # before a connection is taken
            opened.enter_context(DEAR.hold_turn())
            lock = settings.data_dir / DEAR_OF_MACHINE
            opened.enter_context(one_at_a_time(lock, 2 * PAGE_SECONDS, REST))
        workspace = opened.enter_context(open_workspace(database, viewer, slug, ask, settings))
        scope = _scope(workspace, settings, listing.known_links(links))
        with limited_statements(workspace.connection, PAGE_SECONDS, ADVICE):
            page = listings.page(workspace.connection, domain_key, listing, scope, request)
    return replace(page, span=workspace.period.span)


def each_record(
    database: Database,
    viewer: Viewer,
    slug: str,
    domain_key: str,
    ask: Ask,
    settings: Settings,
    links: Mapping[str, str],
    request: RecordsRequest,
) -> Iterator[tuple[object, ...]]:
    """All records that fit, streamed in one transaction. Raises as ``read_records``."""
    listing = _listing_of_domain(domain_key)
    with open_workspace(database, viewer, slug, ask, settings) as workspace:
        scope = _scope(workspace, settings, listing.known_links(links))
        yield from listings.every(workspace.connection, domain_key, listing, scope, request)


def _is_dear(request: RecordsRequest) -> bool:
    sought = (c.value for c in request.conditions if c.operator in listings.CONTAINS)
    return sum(map(len, sought)) > LONG


def _listing_of_domain(key: str) -> Listing:
    listing = {d.key: d.records for d in all_domains()}[key]
    if listing is None:
        raise KeyError(key)
    return listing


def _scope(workspace: OpenWorkspace, settings: Settings, links: Mapping[str, str]) -> RecordsScope:
    span = workspace.period.span
    return RecordsScope(
        workspace.membership.workspace_id,
        span.start,
        span.end,
        store.rules(workspace.connection, settings),
        links,
    )
