"""What callbacks need of the application, for the person who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from aggregators.figures import Dashboard, LiveView, WorkspaceView
from aggregators.listing import Page, Request
from aggregators.period import Ask
from auth.viewer import Viewer
from settings import Settings

Drawn = TypeVar("Drawn")


class Services(Protocol):
    """Reads on behalf of the signed-in person; errors as ``aggregators.read`` raises them."""

    settings: Settings

    def viewer(self) -> Viewer:
        """The signed-in person."""

    def drawn(
        self, ask: Ask, drawing: tuple[object, ...] | None, draw: Callable[[Dashboard], Drawn]
    ) -> Drawn:
        """What is drawn of their dashboard for a period; kept where it is named."""

    def workspace(self, slug: str, domain_key: str, ask: Ask) -> WorkspaceView:
        """One domain of one of their workspaces."""

    def live(self, slug: str, domain_key: str, ask: Ask) -> LiveView:
        """The same from the records as they stand now."""

    def records(
        self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str], asked: Request
    ) -> Page:
        """A page of the records behind it."""
