"""A page that Dash draws, within the shell: its title, its place, and what stands there at first.

Where the address names no period, ``data-supposed`` says which one is shown: a browser that remembers
another does not show it (``assets/theme.js``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Engine

from aggregators.vocabulary.period import DEFAULT_PRESET
from auth.membership import KEEPERS
from storage import context
from storage.executive import memberships
from web.document import DocumentParts
from web.shell.frame import SLUG_OF, domain_of

EXECUTIVE_TITLE = "Executive dashboard"
PERIOD = ("period", "start", "end")
OPTION = re.compile('<option value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class FirstFigures:
    """Figures that the first answer shows already, as plain HTML."""

    shown: Markup


def view(
    engine: Callable[[], Engine],
    parts: Callable[[], DocumentParts],
    figures: Callable[[], FirstFigures | None],
) -> Callable[..., ResponseReturnValue]:
    """View of every page that Dash draws. The gate has let the reader in."""

    def page(**_path: str) -> ResponseReturnValue:
        domain, matched = domain_of(request.path), SLUG_OF.match(request.path)
        heading, is_keeper = EXECUTIVE_TITLE, False
        if domain is not None and matched is not None:
            account = g.get("account") or current_user
            with context.as_viewer(engine(), account.viewer) as connection:
                mine, _ = memberships.membership(connection, matched[1])
            if mine is not None:
                heading, is_keeper = f"{mine.name}: {domain.title}", mine.role in KEEPERS
        made = parts()
        return render_template(
            "drawn.html",
            heading=heading,
            domain=domain,
            parts=made,
            first=_with_chosen(made.first, request.args),
            supposed=None if any(map(request.args.get, PERIOD)) else DEFAULT_PRESET,
            figures=figures(),
            is_keeper=is_keeper,
        )

    return page


def _with_chosen(first: Markup, arguments: Mapping[str, str]) -> Markup:
    """The lists with what the address asks for, so that no word in them moves once the scripts run."""
    period = "custom" if arguments.get("start") else arguments.get("period") or str(DEFAULT_PRESET)
    chosen = {period, arguments.get("compare")}
    marked = OPTION.sub(lambda each: each[0] + " selected" * (each[1] in chosen), first)
    return Markup(marked)  # noqa: S704 - our own text, marked in places
