"""Reads on behalf of the person who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from flask import g
from flask_login import current_user
from sqlalchemy import Engine

from aggregators.pooling.dashboard import Dashboard, LiveView, WorkspaceView
from aggregators.vocabulary.listing import RecordsPage, RecordsRequest
from aggregators.vocabulary.period import Ask
from layouts.executive.drawer import AnswerSource
from layouts.executive.late import LateSource
from layouts.executive.news import News
from layouts.workspace.counted import DeploymentsOf
from reading.caching.cached_dashboard import draw_cached, read_cached, ready_drawing
from reading.caching.dashboard_cache import DashboardCache
from reading.dashboard import version
from reading.records import each_record, read_records
from reading.signals import beside
from reading.signals.beside import ServicePart
from reading.signals.open_signals import DriftSignal
from reading.workspace_page import NotAMember, read_live, read_workspace
from storage import audit, context
from storage.bounds.statement import TooCostly
from storage.database import Database
from storage.viewer import Viewer
from web.people.right_to_answer import RightToAnswer, of_member
from web.platform.signal_count import SignalCounts
from web.platform.sources.broken import BrokenSources
from web.platform.sources.counted import counted_as
from web.server.installation import Installation

Drawing = TypeVar("Drawing")


class Services:
    """Reads of an installation. Errors as those of ``reading``."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.settings = installation.settings
        folder = self.settings.cache_dir or self.settings.data_dir / "cache"
        self.dashboard_cache = DashboardCache(folder)
        self.broken_sources = BrokenSources(self.engine, lambda: self.database)
        self.signal_counts = SignalCounts(self.engine, lambda: self.settings.now().date())

    @property
    def database(self) -> Database:
        """The installation's database."""
        return self.installation.database

    @property
    def web(self) -> Engine:
        """The web role's engine."""
        return self.database.web

    def engine(self) -> Engine:
        """The web role's engine, when it is needed."""
        return self.web

    def viewer(self) -> Viewer:
        """The signed-in person, or the holder of the token."""
        account = g.get("account") or current_user
        return account.viewer  # type: ignore[no-any-return]

    def late(self) -> list[LateSource]:
        """Sources that are late, of those that the signed-in person looks after."""
        return self.broken_sources.late(self.viewer())

    def news(self) -> News | None:
        """Drifts that last night told first in the workspaces of the signed-in person."""
        return self.signal_counts.news(self.viewer())

    def right_to_answer(self, slug: str) -> RightToAnswer:
        """Membership of the signed-in person in a workspace, to be asked for again."""
        return of_member(self.database, self.viewer(), slug)

    def version(self, viewer: Viewer, ask: Ask) -> str:
        """The version of any viewer's dashboard."""
        return version(self.database, viewer, ask, self.settings)

    def read(self, viewer: Viewer, ask: Ask, domains: tuple[str, ...] = ()) -> Dashboard:
        """Any viewer's dashboard."""
        dashboard = read_cached(self.database, viewer, ask, self.settings, self.dashboard_cache)
        return dashboard.only(domains)

    def drawn(
        self, ask: Ask, drawing: tuple[object, ...] | None, draw: Callable[[Dashboard], Drawing]
    ) -> Drawing:
        """A drawing of the signed-in person's dashboard, kept under the name ``drawing``."""
        return draw_cached(
            self.database, self.viewer(), ask, self.settings, self.dashboard_cache, drawing, draw
        )

    def ready(self, ask: Ask, drawing: tuple[object, ...]) -> object | None:
        """The drawing that ``drawn`` would give, where it is kept."""
        return ready_drawing(
            self.database, self.viewer(), ask, self.settings, self.dashboard_cache, drawing
        )

    def workspace(self, slug: str, domain_key: str, ask: Ask) -> WorkspaceView:
        """A domain of a workspace of the signed-in person."""
        return read_workspace(self.database, self.viewer(), slug, domain_key, ask, self.settings)

    def counted_as(self, slug: str, domain_key: str) -> list[DeploymentsOf]:
        """Choices of what the deployments of a workspace of theirs are."""
        return counted_as(self.web, self.database, self.viewer(), slug, domain_key)

    def live(self, slug: str, domain_key: str, ask: Ask) -> LiveView:
        """Figures from the records as they stand now."""
        return read_live(self.database, self.viewer(), slug, domain_key, ask, self.settings)

    def records(
        self,
        slug: str,
        domain_key: str,
        ask: Ask,
        links: Mapping[str, str],
        request: RecordsRequest,
    ) -> RecordsPage:
        """A page of the records behind the figures."""
        return read_records(
            self.database, self.viewer(), slug, domain_key, ask, self.settings, links, request
        )

    def evidence(self, source: AnswerSource, ask: Ask) -> RecordsPage | None:
        """The first of the very list that the answer's link opens; the audit says who looked. None where
        there is none, and to those who may not open it."""
        card, scorecard, wanted = source.card, source.scorecard, source.first_records
        if card is None or scorecard is None or wanted is None:
            return None
        key = scorecard.domain.key
        try:
            page = self.records(card.slug, key, ask, source.links, wanted)
        except NotAMember:
            return None
        self._note_read("evidence.open", card.slug, {"domain": key, **source.links})
        return page

    def services_of(self, signal: DriftSignal) -> list[ServicePart]:
        """Services of a workspace by their part in its drift; the audit says who looked. None of what is
        not counted from deployments, and to those who may not open them."""
        if not beside.is_by_service(signal):
            return []
        slug = signal.workspace.slug
        try:
            parts = beside.services_of(self.database, self.viewer(), signal, self.settings)
        except (NotAMember, TooCostly):
            return []
        self._note_read("evidence.open", slug, {"domain": "dora", "series": signal.series})
        return parts

    def told_records(
        self,
        slug: str,
        domain_key: str,
        ask: Ask,
        links: Mapping[str, str],
        request: RecordsRequest,
    ) -> RecordsPage:
        """A page of the records for a program; the audit says who took it."""
        page = self.records(slug, domain_key, ask, links, request)
        details = {"domain": domain_key, **links, "rows": len(page.rows)}
        self._note_read("records.read", slug, details)
        return page

    def _note_read(self, action: str, slug: str, details: Mapping[str, object]) -> None:
        with self.database.job.begin() as connection:
            audit.record(connection, self.viewer().email, action, slug, details)

    def note_download(self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str]) -> None:
        """Notes in the audit that the signed-in person takes a workspace's records with them."""
        with context.as_viewer(self.web, self.viewer()) as connection:
            days = {"period": ask.preset} if ask.preset else {"start": ask.start, "end": ask.end}
            details = {**links, "domain": domain_key, **days}
            audit.record_own(connection, "records.download", slug, details)

    def every_record(
        self,
        slug: str,
        domain_key: str,
        ask: Ask,
        links: Mapping[str, str],
        request: RecordsRequest,
    ) -> Iterator[tuple[object, ...]]:
        """All records behind the figures, streamed."""
        return each_record(
            self.database, self.viewer(), slug, domain_key, ask, self.settings, links, request
        )
