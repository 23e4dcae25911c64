"""Needs of the callbacks: reads on behalf of the person who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Engine

from aggregators.pooling.dashboard import Dashboard, LiveView, WorkspaceView
from aggregators.vocabulary.listing import RecordsPage, RecordsRequest
from aggregators.vocabulary.period import Ask
from layouts.executive.drawer import AnswerSource
from layouts.executive.late import LateSource
from layouts.executive.news import News
from layouts.workspace.counted import DeploymentsOf
from settings import Settings
from storage.viewer import Viewer

Drawn = TypeVar("Drawn")


class CallbackServices(Protocol):
    """Reads on behalf of the signed-in person; errors as ``reading`` raises them."""

    settings: Settings

    def engine(self) -> Engine:
        """The web role's engine."""

    def viewer(self) -> Viewer:
        """The signed-in person."""

    def late(self) -> Sequence[LateSource]:
        """Sources that are late, of those that they look after."""

    def news(self) -> News | None:
        """Drifts that last night told first in their workspaces."""

    def drawn(
        self, ask: Ask, drawing: tuple[object, ...] | None, draw: Callable[[Dashboard], Drawn]
    ) -> Drawn:
        """Drawing of their dashboard for a period; kept where it is named."""

    def ready(self, ask: Ask, drawing: tuple[object, ...]) -> object | None:
        """Drawing that ``drawn`` keeps under that name, where it is kept already."""

    def workspace(self, slug: str, domain_key: str, ask: Ask) -> WorkspaceView:
        """Figures of a domain in one of their workspaces."""

    def counted_as(self, slug: str, domain_key: str) -> Sequence[DeploymentsOf]:
        """Words on what the deployments of one of their workspaces are."""

    def live(self, slug: str, domain_key: str, ask: Ask) -> LiveView:
        """Figures of the records as they stand now."""

    def evidence(self, source: AnswerSource, ask: Ask) -> RecordsPage | None:
        """The first records behind an answer, as a click into the workspace shows them; it is noted. None
        where there are none to be opened."""

    def records(
        self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str], wanted: RecordsRequest
    ) -> RecordsPage:
        """A page of the records behind it."""
