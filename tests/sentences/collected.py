"""Every sentence that the page, the pack and the mails make of a dashboard."""

from __future__ import annotations

import re
from html import unescape

from aggregators import words
from aggregators.pooling.contributions import CONTRIBUTION, in_order
from aggregators.pooling.dashboard import Dashboard, Scorecard
from exports.mail import ready_mail
from exports.pack import notes
from exports.pack.finding import finding
from layouts.executive.card import card
from layouts.executive.tile import tile
from reading.encode import dashboard_json
from tests.sentences.answers import ANSWERS, check_evidence
from tests.sentences.beyond import check_facts
from tests.sentences.drifts.companions import check_companions
from tests.sentences.footers import CARDS, MAILS, NOTES, RANKED, TILES
from tests.sentences.sparks import check_sparks
from tests.sentences.titles import check_title
from tests.sentences.truth import Truth
from tests.sentences.workbook import check_workbook

PARAGRAPH = re.compile(r'<p class="tile-[^"]*">(.*?)</p>')
FOOTNOTE = re.compile(r'<p class="card-note[^"]*">(.*?)</p>')
SPAN = re.compile(r"<span>(.*?)</span>")


def plain(markup: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", markup)).strip()


def check_dashboard(truth: Truth, dashboard: Dashboard) -> None:
    """All that is said of the dashboard. Raises AssertionError."""
    answers = dashboard_json(dashboard, breakdown=False)["answers"]
    ANSWERS.check(truth, [answer["sentence"] for answer in answers])
    for answer in answers:
        check_evidence(truth, answer["key"], answer["found"], answer["evidence"])
    for scorecard in dashboard.scorecards:
        check_scorecard(truth, scorecard, dashboard)
    check_facts(truth, dashboard)
    check_companions(truth, dashboard)
    check_workbook(truth, dashboard)
    span = f"{dashboard.period.start} to {dashboard.period.end}"
    MAILS.check(truth, ready_mail(dashboard.organisation, "pdf", span, len(dashboard.scope.slugs)))


def check_scorecard(truth: Truth, scorecard: Scorecard, dashboard: Dashboard) -> None:
    domain = scorecard.domain
    tile_texts = PARAGRAPH.findall(str(tile(scorecard, dashboard, None)))
    assert tile_texts
    TILES.check(truth, map(plain, tile_texts), domain=domain)
    if scorecard.is_empty:
        return
    check_sparks(truth, scorecard)
    check_title(truth, finding(scorecard), domain)
    NOTES.check(truth, notes.rests_on(scorecard, dashboard.as_of), domain=domain)
    NOTES.check(truth, notes.missing_and_few(scorecard), domain=domain)
    if not domain.by:
        check_cards(truth, scorecard)


def check_cards(truth: Truth, scorecard: Scorecard) -> None:
    domain, key = scorecard.domain, scorecard.domain.headline
    for shown in (*scorecard.cards, *in_order(scorecard, key, CONTRIBUTION)):
        (footnote,) = FOOTNOTE.findall(str(card(shown, domain, key, (0.0, 1.0))))
        CARDS.check(truth, map(plain, SPAN.findall(footnote)), domain=domain, name=shown.name)
        ranked = words.after_shrinking(shown.figures[key], shown.shrunken(key))
        RANKED.check(truth, [ranked] if ranked else [], domain=domain, name=shown.name)
