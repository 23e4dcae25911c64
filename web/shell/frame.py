"""Frame of a page for its reader: what the templates show around its content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlencode

from flask import Flask, Response, current_app, g, jsonify, request, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, TimeoutError

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.fields import SLUG_WORD
from auth.membership import PLATFORM_ADMIN, in_words
from layouts.paths import WORKSPACE_PAGES
from layouts.pieces.icons import icon
from settings import Settings
from storage import context
from storage.bounds.away import first_line
from storage.context import NoContext, NotIdentified
from storage.executive import memberships
from storage.executive.memberships import Membership
from storage.viewer import Viewer
from web.problem import Problem
from web.shell.pages import (
    ACCOUNT,
    HELP,
    PAGES,
    ShellCount,
    ShellPage,
    ShellReader,
    counts_of,
    served_rules,
)

LISTED = 8
"""Workspaces that the switcher lists at once; the others it finds."""
SLUG_OF = re.compile(rf"/ws/({SLUG_WORD})(?:/|$)")
PERIOD_NAMES = ("period", "start", "end", "compare")
LOGO = "/logo"
KEYS = (
    ("/", "find a workspace"),
    (f"1 to {min(9, len(DOMAINS))}", "open a tile"),
    ("p", "period"),
    ("[  ]", "the period before, the one after"),
    ("v", "what the figures are compared with"),
    ("t", "cards or table"),
    ("c", "copy a link to this view"),
    ("e", "export the PDF"),
    ("Esc", "close what lies on top"),
    ("?", "this help"),
)
"""Keys, and what they do, as the help lists them."""


@dataclass(frozen=True, slots=True)
class ShellLink:
    """A link of the navigation."""

    title: str
    href: str
    icon: str
    section: str
    is_current: bool
    count: ShellCount | None = None


@dataclass(frozen=True, slots=True)
class SwitchOption:
    """A workspace in the switcher."""

    slug: str
    name: str
    accent: str | None
    role: str
    href: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Shell around a page. Without a person: the organisation alone."""

    organisation: str
    logo: str | None = None
    name: str = ""
    email: str = ""
    role: str = ""
    links: tuple[ShellLink, ...] = ()
    options: tuple[SwitchOption, ...] = ()
    workspaces: int = 0
    active: SwitchOption | None = None
    is_everywhere: bool = False
    """Whether the page is of all workspaces."""
    executive: str | None = None
    help: str | None = None
    account: str | None = None
    tabs: tuple[tuple[str, str, bool], ...] = field(default=())

    @property
    def initials(self) -> str:
        """Two letters for the person."""
        words = (self.name or self.email.split("@")[0]).split()
        return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()

    def section(self, name: str) -> list[ShellLink]:
        """Links of a section."""
        return [link for link in self.links if link.section == name]


def install(app: Flask, engine: Callable[[], Engine], settings: Settings) -> None:
    """Gives every template its ``frame``, and serves the list of the reader's workspaces and the logo."""
    logo = LOGO if settings.logo else None

    @app.context_processor
    def around() -> dict[str, object]:
        if "shell_frame" not in g:  # a page may be made of several templates
            g.shell_frame = _frame(engine, settings.organisation, logo)
        return {"frame": g.shell_frame, "icon": icon, "in_words": in_words, "keys": KEYS}

    @app.get("/workspaces.json", endpoint="shell.workspaces")
    def workspaces() -> ResponseReturnValue:
        mine = _memberships_of(engine(), current_user.viewer)
        return jsonify([_option_json(_switch_option(m, request.args)) for m in mine])

    @app.get(LOGO, endpoint="shell.logo")
    def organisation_logo() -> Response:
        if settings.logo is None:
            raise Problem(404)
        return send_file(settings.logo.resolve(), max_age=3600)


def _option_json(option: SwitchOption) -> dict[str, str | None]:
    return {name: getattr(option, name) for name in ("slug", "name", "accent", "role", "href")}


def _memberships_of(engine: Engine, viewer: Viewer) -> tuple[Membership, ...]:
    """Memberships of the viewer."""
    with context.as_viewer(engine, viewer) as connection:
        return tuple(memberships.memberships(connection))


def _frame(engine: Callable[[], Engine], organisation: str, logo: str | None) -> Frame:
    """Frame for who is signed in; the organisation alone for others, and while the database is away."""
    bare = Frame(organisation, logo)
    try:
        if not current_user.is_authenticated:
            return bare
        known: tuple[Membership, ...] | None = g.get("memberships")  # by the gate of this request
        mine = known if known is not None else _memberships_of(engine(), current_user.viewer)
    except (NoContext, NotIdentified):  # signed out while the request was under way
        return bare
    except (OperationalError, TimeoutError) as error:
        current_app.logger.warning("the page's frame could not be read: %s", first_line(error))
        return bare
    return _frame_for_reader(bare, mine)


def _frame_for_reader(bare: Frame, mine: tuple[Membership, ...]) -> Frame:
    """The frame with everything that depends on who reads and where they are."""
    matched = SLUG_OF.match(request.path)
    active = next((m for m in mine if matched and m.slug == matched[1]), None)
    reader = ShellReader(mine, active)
    links = _links(reader)
    known = served_rules(current_app)
    is_everywhere = not active or request.path.rstrip("/").endswith("/platform/executive")
    return Frame(
        bare.organisation,
        bare.logo,
        current_user.name or "",
        current_user.email,
        _highest(reader),
        links,
        tuple(_switch_option(m, request.args) for m in mine[:LISTED]),
        len(mine),
        _switch_option(active, request.args) if active else None,
        is_everywhere and reader.is_platform_admin,
        next((link.href for link in links if link.title == "Executive"), None),
        HELP if HELP in known else None,
        ACCOUNT if ACCOUNT in known else None,
        _tabs(active, request.path) if active else (),
    )


def _highest(reader: ShellReader) -> str:
    if reader.active and reader.active.role != PLATFORM_ADMIN:
        return in_words(reader.active.role).capitalize()
    if reader.is_platform_admin:
        return "Platform admin"
    roles = {m.role for m in reader.memberships}
    return in_words(roles.pop()).capitalize() if len(roles) == 1 else "Member"


def _links(reader: ShellReader) -> tuple[ShellLink, ...]:
    known = served_rules(current_app)
    shown = [p for p in PAGES if p.rule in known and p.may(reader) and p.href(reader)]
    return tuple(_link(page, reader) for page in shown)


def _link(page: ShellPage, reader: ShellReader) -> ShellLink:
    count = counts_of(current_app).get(page.rule)
    return ShellLink(
        page.title,
        page.href(reader) or "",
        page.icon,
        page.section,
        bool(_pattern(page.rule).match(request.path)),
        count(current_user.viewer) if count else None,
    )


@cache
def _pattern(rule: str) -> re.Pattern[str]:
    """Paths of a page and of what lies below it."""
    return re.compile(re.escape(rule).replace("<slug>", SLUG_WORD) + "(?:/|$)")


def _switch_option(membership: Membership, given: Mapping[str, str]) -> SwitchOption:
    """A workspace to switch to, on the same domain and period."""
    domain = domain_of(request.path) or DOMAINS[0]
    return SwitchOption(
        membership.slug,
        membership.name,
        membership.accent,
        in_words(membership.role),
        domain.page(membership.slug) + _carried_period(given),
    )


def _carried_period(given: Mapping[str, str]) -> str:
    """Period of an address, to be carried to the next one."""
    carried = {name: given.get(name, "")[:40] for name in PERIOD_NAMES}
    period = {name: value for name, value in carried.items() if value and value.isprintable()}
    return f"?{urlencode(period)}" if period else ""


def domain_of(path: str) -> Domain | None:
    """Domain whose page of a workspace a path is."""
    return next((d for d in DOMAINS if WORKSPACE_PAGES[d.key].fullmatch(path)), None)


def _tabs(active: Membership, path: str) -> tuple[tuple[str, str, bool], ...]:
    """The pages of a workspace: title, address, whether it is this one."""
    here = domain_of(path)
    return tuple((d.title, d.page(active.slug), d is here) for d in DOMAINS)
