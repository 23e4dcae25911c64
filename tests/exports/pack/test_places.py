"""Every workspace on one axis: who is shown, who is counted, and that nothing lies on anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aggregators import words
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.measure import MeasureTarget, Origin, Status
from exports.board_pdf import draw
from exports.pack.places.axis import SharedAxis, target
from exports.pack.places.rows import WORST, rows_of
from tests import samples
from tests.deep import every, long
from tests.exports.pack.packs import AT, BY, EXPORT, collisions, pack, texts, words_of
from tests.exports.pack.test_scripts import NAMES

FRAMEWORKS = tuple(f"Framework {number:02d}" for number in range(34))
PAGES = slice(1, 7)


@pytest.fixture(scope="module")
def many() -> Dashboard:
    return samples.dashboard(200)


@pytest.fixture(scope="module")
def frameworks() -> Dashboard:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "GROUPS", FRAMEWORKS)
        return samples.dashboard(12)


def file(dashboard: Dashboard) -> bytes:
    return draw(dashboard, requested_by=BY, exported_at=AT, export_id=EXPORT)


def named(dashboard: Dashboard, names: tuple[str, ...]) -> Dashboard:
    """The dashboard with other names of its first workspaces."""
    by_slug = dict(zip(dashboard.scope.slugs, names, strict=False))
    scorecards = tuple(
        replace(s, cards=samples.renamed(s.cards, by_slug)) for s in dashboard.scorecards
    )
    return replace(dashboard, scorecards=scorecards)


@pytest.mark.parametrize("workspaces", every(3, [1, 12, 40, 200]))
def test_no_word_lies_on_another(many, workspaces):
    drawn = file(samples.only(many, workspaces))
    assert collisions(drawn) == []
    for page in words_of(drawn):
        assert len(page) > 40
        assert all(word.right < 803 and word.bottom < 590 for word in page)


def test_each_of_many_frameworks_is_told_from_the_others_in_the_appendix(frameworks):
    """Seen: "Framework…" on every row."""
    pages = " ".join(texts(pack(frameworks))[7:])
    assert all(name in pages for name in FRAMEWORKS)
    assert "Framework…" not in pages


@pytest.mark.parametrize("workspaces", every(2, [1, 12]))
def test_many_frameworks_do_not_lie_on_each_other(frameworks, workspaces):
    drawn = file(samples.only(frameworks, workspaces))
    assert collisions(drawn) == []
    page = texts(pack(samples.only(frameworks, workspaces)))[4]
    assert "more figures in the appendix" in page
    assert "others not set up" in page


def test_long_and_foreign_names_lie_on_nothing(dashboard):
    names = (*NAMES.values(), "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterb")
    assert collisions(file(named(dashboard, names))) == []


@long("tests/exports/pack/test_places.py::test_who_could_not_stand_better_is_counted_not_listed")
def test_all_are_shown_where_they_have_room_else_the_ten_worst(dashboard, many):
    dora = dashboard.scorecard("dora")
    every, some = rows_of(dora, 14), rows_of(many.scorecard("dora"), 14)
    assert [row.card for row in every.rows] == list(dora.cards)
    assert every.left == 0
    assert [row.card.rank for row in some.rows if row.card] == list(range(1, WORST + 1))
    assert some.left == 200 - WORST
    silent = sum(
        not c.figures["change_failure_rate"].has_data for c in many.scorecard("dora").cards
    )
    assert some.also == f"{silent} without data"
    assert f"190 more workspaces in the appendix: {some.also}" in texts(pack(many))[1]


def test_who_could_not_stand_better_is_counted_not_listed(many):
    certificates = many.scorecard("certificates")
    values = [0.0] * 197 + [3.0, 2.0, 0.0]
    calm = samples.with_headline(certificates, 5.0, 5.0, values)
    ordered = replace(calm, cards=calm.cards.worst_first_by("within_7"))
    rows = rows_of(ordered, 14)
    assert [row.figure.value for row in rows.rows if row.figure] == [3.0, 2.0]
    assert rows.also == "198 at 0"


def test_a_workspace_with_many_groups_shows_its_worst(frameworks):
    compliance = frameworks.scorecard("compliance")
    rows = rows_of(compliance, 25).rows
    assert len(rows) <= 25
    card = rows[0].card
    assert card is not None
    own = sorted(f.value for f in card.figures["pass_rate"].by.values() if f.value is not None)
    assert [row.figure.value for row in rows if row.card is card and row.figure] == own[:2]
    note = next(row.note for row in rows if row.card is card and row.note)
    assert note.startswith(f"{len(own) - 2} more, ")


def test_the_axis_holds_what_it_is_of_and_tells_its_ends_once(dashboard):
    scorecard = dashboard.scorecard("dora")
    figures = [card.figures["change_failure_rate"] for card in scorecard.cards]
    axis = SharedAxis.of(figures)
    assert target(scorecard.headline) == 0.15
    assert axis.words == "0 – 100 %"
    shares = [axis.share(f.value) for f in figures if f.value is not None]
    assert all(0 < share < 1 for share in shares)
    assert axis.share(9.0) == 1.0


def test_a_workspaces_own_target_is_drawn_and_judges_it(dashboard):
    dora = dashboard.scorecard("dora")
    table = dora.headline.table
    worst = dora.cards[0]
    own = table.measure.judged_by(MeasureTarget(0.95, True, Origin.WORKSPACE), None)
    kind = replace(table, own={int(dora.cards.rows("change_failure_rate")[0]): own})
    figure = samples.with_table(dora, kind).cards.find(worst.slug).figures["change_failure_rate"]
    assert target(figure) == 0.95
    assert figure.status is Status.GOOD
    assert SharedAxis.of([figure]).high >= 0.95


def test_the_page_tells_target_interval_and_who_is_off(dashboard):
    pages = texts(pack(dashboard))[PAGES]
    assert "95 % interval; dotted: target under 15.0 %" in pages[0]
    assert not any("95 % interval" in page for page in pages[1:])
    off = sum(
        words.STATUS[c.figures["change_failure_rate"].status] == "Bad"
        for c in dashboard.scorecard("dora").cards
    )
    assert f"{off} of 12 workspaces off target" in pages[0]
