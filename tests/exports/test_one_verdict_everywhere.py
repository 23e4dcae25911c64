"""The verdict on a change is the same word wherever the change is told, and the one that a slow computation
from the counts gives."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from aggregators import words
from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.figures import Figure
from aggregators.signal.change import Verdict
from aggregators.signal.rules import SeriesKind
from aggregators.signal.series import series_of
from aggregators.vocabulary.measure import LOWER
from aggregators.vocabulary.period import Compare
from exports import tables
from exports.workbook.book import as_xlsx
from layouts.executive.card import card
from layouts.executive.expansion import comparison
from layouts.executive.matrix import matrix, rows
from layouts.focus import TABLE, Focus
from layouts.pieces.markup import markup
from layouts.pieces.sparkline import scale_of
from reading.encode import dashboard_json
from tests import samples
from tests.aggregators.organisations import organisations, scorecard
from tests.deep import efforts
from tests.exports.pack.packs import AT
from tests.plain import verdicts

OF_KIND = {SeriesKind.RATIO: verdicts.of_ratio, SeriesKind.RATE: verdicts.of_rate}
NEAR = 1e-6
"""Standard errors from a threshold within which rounding may choose the word."""
PILL = re.compile(r'<span class="pill pill-[\w-]+"[^>]*>(.*?)</span>(?=</td>|</li>|</div>)')
some_organisation = st.sampled_from(DOMAINS).flatmap(
    lambda domain: organisations(domain).map(lambda org: scorecard(domain, org))
)


def figures(told: Scorecard) -> list[Figure]:
    """Every figure of the organisation and of the workspaces, group by group."""
    held = [told.figures, *(one.figures for one in told.cards)]
    return [
        one
        for by_key in held
        for figure in by_key.values()
        for one in (figure.by or {"": figure}).values()
    ]


@pytest.mark.parametrize("effort", efforts(few=15, many=60, deep=1000))
def test_the_verdict_is_that_of_the_slow_computation(effort):
    @effort
    @given(some_organisation)
    def holds(told):
        for figure in figures(told):
            expected = expected_verdict(figure)
            assert expected is None or figure.verdict == expected, figure

    holds()


def expected_verdict(figure: Figure) -> str | None:
    """The verdict by the counts that the figure tells; None where it tells too little of them."""
    series, delta = series_of(figure.measure), figure.delta
    if delta is None:
        return Verdict.NO_COMPARISON
    if series is None:
        return Verdict.CERTAIN
    evidence, before = figure.evidence, figure.previous_evidence
    pairs = [(e.numerator, e.denominator or e.days_seen) for e in (evidence, before)]
    if series.kind not in OF_KIND or any(x is None for x, _ in pairs):
        return None
    assert figure.table.change
    scatter = float(figure.table.change.dispersion[figure.row])
    worse = 1 if figure.measure.better is LOWER else -1
    told, z = verdicts.verdict(OF_KIND[series.kind], *pairs, scatter, worse, delta)
    is_near = min(abs(abs(z) - at) for at in (0, verdicts.LIKELY, verdicts.CERTAIN)) < NEAR
    return None if is_near else told


@pytest.mark.parametrize("effort", efforts(few=15, many=30, deep=300))
def test_card_and_table_and_comparison_say_the_words_of_the_figure(effort):
    @effort
    @given(some_organisation, st.data())
    def holds(told, data):
        assume(len(told.cards))
        measure = data.draw(st.sampled_from(told.domain.measures))
        cards = list(told.cards.worst_first_by(measure.key))
        listed = rows(told, cards, measure.key)
        for one, row in zip(cards, listed, strict=True):
            figure = one.figures[measure.key]
            assert pills(row) == [said(figure)]
            if not figure.low_sample and figure.has_data and told.domain.picture == "cards":
                drawn = card(one, told.domain, measure.key, scale_of([figure]))
                assert pills(drawn)[:1] == [said(figure)]
        whole = markup(matrix(told, listed, measure.key))
        assert pills(whole)[-1] == said(told.figures[measure.key])

    holds()


def pills(drawn: object) -> list[str]:
    """Texts of the changes in a picture, without their arrows."""
    plain = (re.sub(r"<span[^>]*>.*?</span>", "", found) for found in PILL.findall(str(drawn)))
    return [re.sub(r"<[^>]+>", "", text).strip() for text in plain]


def said(figure: Figure) -> str:
    """The change and the word on it, worked out here."""
    if figure.delta is None or not words.has_visible_change(figure):
        return words.delta(figure)
    word = figure.change if figure.verdict is Verdict.CERTAIN else figure.verdict.replace("_", " ")
    return f"{words.delta(figure)} · {'too few to tell' if word == 'too few' else word}"


def test_what_is_compared_is_told_with_its_change():
    dashboard = samples.dashboard(4)
    pinned = dashboard.scope.slugs[:3]
    focus = Focus("dora", "change_failure_rate", mode=TABLE, pins=tuple(pinned))
    drawn = str(comparison(dashboard, focus))
    cards = dashboard.scorecard("dora").cards
    for slug in pinned:
        assert words.change(cards.find(slug).figures["change_failure_rate"]) in drawn


def test_the_file_the_workbook_and_the_api_have_the_same_word():
    dashboard = samples.dashboard(6)
    domains = dashboard_json(dashboard)["domains"]
    answered = {
        (domain["key"], slug, key, group): figure["change"]["verdict"]
        for domain in domains
        for slug, measures in [
            ("", domain["measures"]),
            *((w["slug"], w["measures"]) for w in domain["workspaces"]),
        ]
        for key, told in measures.items()
        for group, figure in told.get("by", {"": told}).items()
    }
    lines = list(csv.DictReader(io.StringIO(tables.as_csv(dashboard).decode("utf-8-sig"))))
    assert keyed(lines) == answered
    file = as_xlsx(dashboard, requested_by="a@x.example", exported_at=AT, export_id="x")
    book, found = load_workbook(io.BytesIO(file)), []
    for scorecard_of in dashboard.scorecards:
        head, *body = book[scorecard_of.domain.title].iter_rows(values_only=True)
        found += [dict(zip(head, row, strict=True)) for row in body]
    assert keyed(found) == answered


def keyed(lines: list[dict[str, str | None]]) -> dict[tuple[str, ...], str]:
    names = ("domain", "workspace", "measure", "group")
    return {tuple(line[n] or "" for n in names): str(line["verdict"]) for line in lines}


def test_without_a_comparison_the_table_has_no_column_of_changes():
    told = samples.dashboard(3).scorecard("dora")
    figure = told.figures["change_failure_rate"]
    alone = samples.with_table(told, replace(figure.table, compare=Compare.NONE))
    assert "Change<span" in markup(matrix(told, [], figure.measure.key))
    assert "Change<span" not in markup(matrix(alone, [], figure.measure.key))
