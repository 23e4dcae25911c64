"""Registry of the pages that the shell links to. A page stands in the navigation once its route exists and
for those who may open it; one that does not exist is absent, not grey.

A new page adds its line to ``PAGES``; what is counted beside its name (new signals, broken sources) it says
with ``count_beside``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from flask import Flask

from auth.membership import KEEPERS, MANAGERS, PLATFORM_ADMIN
from storage.executive.memberships import Membership
from storage.viewer import Viewer

COUNTS = "vigilo-shell-counts"
"""Key of ``app.extensions``: path of a page to what counts beside its name."""


@dataclass(frozen=True, slots=True)
class ShellReader:
    """Reader of a page: their workspaces, and the one whose page it is."""

    memberships: tuple[Membership, ...]
    active: Membership | None

    @property
    def is_platform_admin(self) -> bool:
        """Whether they are platform admin of any workspace."""
        return any(m.role == PLATFORM_ADMIN for m in self.memberships)

    @property
    def home(self) -> Membership | None:
        """Workspace whose pages they are on, else the first that they are platform admin of, else any."""
        if self.active is not None:
            return self.active
        wide = (m for m in self.memberships if m.role == PLATFORM_ADMIN)
        return next(wide, next(iter(self.memberships), None))

    @property
    def managed_membership(self) -> Membership | None:
        """Workspace whose members they manage: the one they are on before the others."""
        first = [self.active] if self.active else []
        return next((m for m in [*first, *self.memberships] if m.role in MANAGERS), None)


@dataclass(frozen=True, slots=True)
class ShellCount:
    """Number beside a page's name, with what it says in words. ``is_hot`` draws the eye."""

    number: int
    words: str
    is_hot: bool = False


@dataclass(frozen=True, slots=True)
class ShellPage:
    """A page in the navigation. ``rule`` is its route's; ``slug_of`` says whose slug fills it, where it has
    one; ``may`` says for whom it is."""

    title: str
    icon: str
    section: Literal["Platform", "Admin"]
    rule: str
    may: Callable[[ShellReader], bool]
    slug_of: Callable[[ShellReader], Membership | None] = lambda _: None

    def href(self, reader: ShellReader) -> str | None:
        """Address of it for a reader; None where there is none for them."""
        if "<slug>" not in self.rule:
            return self.rule
        workspace = self.slug_of(reader)
        return self.rule.replace("<slug>", workspace.slug) if workspace else None


def _admins(reader: ShellReader) -> bool:
    return reader.is_platform_admin


def _keepers(reader: ShellReader) -> bool:
    return any(m.role in KEEPERS for m in reader.memberships)


def _managers(reader: ShellReader) -> bool:
    return reader.managed_membership is not None


EXECUTIVE_RULE = "/ws/<slug>/platform/executive"
PAGES = (
    ShellPage("Executive", "grid", "Platform", EXECUTIVE_RULE, _admins, lambda s: s.home),
    ShellPage("Signals", "pulse", "Platform", "/platform/signals", _admins),
    ShellPage("Exports", "download", "Platform", "/exports", _admins),
    ShellPage("Sources", "plug", "Platform", "/platform/sources", _managers),
    ShellPage("Annotations", "note", "Platform", "/platform/annotations", _keepers),
    ShellPage("Nightly snapshot", "clock", "Platform", "/platform/nights", _admins),
    ShellPage("Audit", "list", "Platform", "/platform/audit", _admins),
    ShellPage(
        "Members",
        "people",
        "Admin",
        "/ws/<slug>/admin/members",
        _managers,
        lambda s: s.managed_membership,
    ),
    ShellPage(
        "Frameworks",
        "check",
        "Admin",
        "/ws/<slug>/admin/frameworks",
        _managers,
        lambda s: s.managed_membership,
    ),
    ShellPage("Settings", "gear", "Admin", "/admin/settings", _managers),
)
"""In the order in which they stand."""
DRAWN_BY_DASH = frozenset({EXECUTIVE_RULE})
HELP, ACCOUNT = "/help", "/account"


def served_rules(app: Flask) -> frozenset[str]:
    """Rules that the application serves, with those of Dash, which has one rule for all of its pages."""
    return DRAWN_BY_DASH | {rule.rule.rstrip("/") for rule in app.url_map.iter_rules()}


def count_beside(app: Flask, rule: str, count: Callable[[Viewer], ShellCount | None]) -> None:
    """Has a number stand beside a page's name; none where there is nothing to count."""
    counts: dict[str, Callable[[Viewer], ShellCount | None]] = app.extensions.setdefault(COUNTS, {})
    counts[rule] = count


def counts_of(app: Flask) -> Mapping[str, Callable[[Viewer], ShellCount | None]]:
    """Counts beside the pages' names, by their rules."""
    counts: Mapping[str, Callable[[Viewer], ShellCount | None]] = app.extensions.get(COUNTS, {})
    return counts
