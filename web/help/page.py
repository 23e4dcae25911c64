"""Pages of the help: the list, an article, and what a search finds."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import Engine

from aggregators.catalogue import DOMAINS
from aggregators.chosen.names import TIME_ZONE
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import MAX_DAYS, PRESETS
from auth import membership
from ingest.desk import choosing
from ingest.formats import FORMATS
from layouts.executive.page import AMBER, RED
from settings import Settings
from storage.database import Database
from web.chosen.page import scope_of
from web.chosen.views import ShownSetting, sections
from web.help.articles import ARTICLES, HelpArticle, find
from web.problem import Problem
from web.shell.pages import HELP

LONGEST = 80


def blueprint(
    engine: Callable[[], Engine], database: Callable[[], Database], settings: Settings
) -> Blueprint:
    """The pages, for everyone who is signed in."""
    made = Blueprint("help", __name__)

    def facts() -> Mapping[str, object]:
        day = choosing.newest_day(database()) or settings.now().date()
        chosen_sections = sections(scope_of(engine(), None, day, settings))
        return {
            **_facts(settings),
            **_chosen_settings({section.key: section.rows for section in chosen_sections}),
        }

    @made.get(HELP, endpoint="index")
    def index() -> ResponseReturnValue:
        words = request.args.get("q", "")[:LONGEST].strip()
        known = facts() if words else {}
        hits = find(words, lambda article: html.unescape(_text(article, known)))
        return render_template("help/index.html", articles=ARTICLES, words=words, hits=hits)

    @made.get(f"{HELP}/<slug>", endpoint="article")
    def article(slug: str) -> ResponseReturnValue:
        chosen = next((each for each in ARTICLES if each.slug == slug), None)
        if chosen is None:
            raise Problem(404)
        text = _text(chosen, facts())
        return render_template("help/article.html", articles=ARTICLES, article=chosen, text=text)

    return made


def _text(article: HelpArticle, facts: Mapping[str, object]) -> Markup:
    made = render_template(article.template, **facts)
    return Markup(made)  # noqa: S704 - a template of ours


def _facts(settings: Settings) -> Mapping[str, object]:
    """Facts of the code that the articles name, so that they can not differ from it."""
    return {
        "domains": DOMAINS,
        "presets": PRESETS,
        "max_days": MAX_DAYS,
        "rights": membership.RIGHTS,
        "roles": membership.ORDER[::-1],
        "delivery_days": settings.delivery_days,
        "is_strict": settings.strict_residency,
        "sync_seconds": settings.export_sync_seconds,
        "amber": formats.duration(AMBER.total_seconds()),
        "red": formats.duration(RED.total_seconds()),
        "formats": sorted(FORMATS),
    }


def _chosen_settings(rows: Mapping[str, Sequence[ShownSetting]]) -> Mapping[str, object]:
    """Choices of the organisation as its settings say them: how it counts, the targets of a measure."""
    by_name = {shown.setting.name: shown for key in rows for shown in rows[key] if shown.is_told}
    return {
        "counting": rows["counting"],
        "zone": by_name[TIME_ZONE].words,
        "targets": lambda domain, measure: [
            shown
            for name, shown in by_name.items()
            if name.partition("/")[0] == f"{domain.key}.{measure.key}"
        ],
    }
