"""Contributions to a figure: the sentence of the page's title, and the column of the table."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from aggregators.pooling.dashboard import Scorecard
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.kinds import Level, Mean, Quantile, Rate, Ratio
from aggregators.vocabulary.measure import BURN, DAYS_SEEN, HIGHER, LEVEL_MAX, LOWER, Measure, Unit
from aggregators.vocabulary.sketch import Sketch
from exports.board_pdf import draw
from exports.pack.finding import finding
from tests import samples
from tests.aggregators.organisations import scorecard

LOW = {"better": LOWER, "definition": "d"}
OPEN = Level("open", "Open incidents", of=("x",), **LOW)
RATE = Ratio("rate", "Change failure rate", part=("x",), whole=("y",), **LOW)
MTTR = Mean("mttr", "MTTR", total="x", count="y", **LOW)
PACE = Rate("pace", "Deploy frequency", of="x", better=HIGHER, definition="d")
FASTEST = Level("burn", "Fastest burn", of=("x",), over=LEVEL_MAX, unit=BURN, **LOW)
MEDIAN = Quantile("lead", "Lead time, median", of="x", q=0.5, **LOW)
NAMES = {"a": "Alpha", "b": "Beta", "c": "Gamma", "d": "Delta"}


def card(measure: Measure, now: dict[str, tuple], before: dict[str, tuple]) -> Scorecard:
    """A scorecard from (x, y) of each workspace; one that is missing saw no day."""
    domain = Domain(
        key="toy",
        title="Toy",
        order=9,
        headline=measure.key,
        supporting=(),
        workspace_page="/ws/{slug}/toy",
        measures=(measure,),
    )

    def side(period: dict[str, tuple], slug: str) -> dict[str, object] | None:
        facts = dict(zip(domain.natures(), period.get(slug, ()), strict=False))
        return {DAYS_SEEN: 28.0} | facts if facts else None

    slugs = {*now, *before}
    made = scorecard(domain, {(s, ""): (side(now, s), side(before, s)) for s in slugs})
    return replace(made, cards=samples.renamed(made.cards, NAMES))


def counts(measure: Measure, **moves: tuple[float, float]) -> str:
    """The sentence where each workspace goes from a value to another."""
    now, before = ({s: (both[i],) for s, both in moves.items()} for i in (1, 0))
    return finding(card(measure, now, before))


MOVED = [
    (OPEN, {"a": (4, 7), "b": (4, 5)}, "rose by 4 to 12; Alpha alone accounts for 3 of them"),
    (OPEN, {"a": (7, 4), "b": (5, 4)}, "fell by 4 to 8; Alpha alone accounts for 3 of them"),
    (OPEN, {"a": (4, 8), "b": (4, 4)}, "rose by 4 to 12; Alpha accounts for all of it"),
    (OPEN, {"a": (0, 3), "b": (0, 1)}, "rose from 0 to 4; Alpha alone accounts for 3 of them"),
    (
        OPEN,
        {"a": (4, 6), "b": (4, 5), "c": (0, 1), "d": (0, 1)},
        "rose by 5 to 13; Alpha has the largest part, 2 of them",
    ),
    (
        OPEN,
        {"a": (4, 9), "b": (4, 3)},
        "rose by 4 to 12; Alpha alone added 5, others took back 1",
    ),
    (
        OPEN,
        {"a": (9, 4), "b": (3, 4)},
        "fell by 4 to 8; Alpha alone took off 5, others added back 1",
    ),
    (
        OPEN,
        {"a": (4, 7), "b": (4, 6), "c": (1, 0)},
        "rose by 4 to 13; Alpha added most (3 of 5), others took back 1",
    ),
    (
        OPEN,
        {"a": (0, 40), "b": (40, 1)},
        "rose by 1 to 41; Alpha pushed it up most, others offset most of that",
    ),
    (
        OPEN,
        {"a": (40, 0), "b": (1, 40)},
        "fell by 1 to 40; Alpha pulled it down most, others offset most of that",
    ),
    (
        OPEN,
        {"a": (4, 6), "b": (4, 6)},
        "rose by 4 to 12; Alpha and 1 other account for it equally",
    ),
    (
        OPEN,
        {"a": (4, 6), "b": (4, 6), "c": (0, 2), "d": (0, 1)},
        "rose by 7 to 15; Alpha and 2 others added most, 2 each",
    ),
    (OPEN, {"a": (4, 6), "b": (4, 2)}, "held at 8; Alpha is worst"),
    (PACE, {"a": (28, 84), "b": (56, 56)}, "rose by 2.0 / day to 5.0 / day; Alpha accounts"),
    (FASTEST, {"a": (9, 2), "b": (3, 6)}, "fell by 3.0× to 6.0×; Alpha accounts for all of it"),
]
"""Measure, each workspace's figure before and now, and the words for it."""


@pytest.mark.parametrize(("measure", "moves", "words"), MOVED)
def test_who_moved_a_sum_or_an_extreme(measure, moves, words):
    assert counts(measure, **moves).startswith(f"{measure.title} {words}")


def test_who_moved_a_ratio_in_points():
    now = {"a": (39, 100), "b": (10, 100)}
    assert finding(card(RATE, now, {"a": (20, 100), "b": (6, 100)})) == (
        "Change failure rate rose by 11.5 points to 24.5 %; Alpha alone accounts for 9.5 of them"
    )
    assert finding(card(RATE, now, {"a": (20, 100), "b": (20, 100)})) == (
        "Change failure rate rose by 4.5 points to 24.5 %; Alpha alone added 9.5, others took back 5.0"
    )


def test_who_moved_a_duration():
    now, before = {"a": (7200, 1), "b": (3600, 1)}, {"a": (3600, 1), "b": (3000, 1)}
    assert finding(card(MTTR, now, before)) == (
        "MTTR rose by 35 min to 1 h 30 min; Alpha alone accounts for 30 min of it"
    )
    slow, fast = (Sketch.of([seconds] * 4) for seconds in (7200, 3600))
    now, before = {"a": (slow,), "b": (slow,)}, {"a": (fast,), "b": (slow,)}
    said = finding(card(MEDIAN, now, before))
    assert said.endswith("Alpha accounts for all of it")


def test_nobody_is_named_where_nobody_stands_out():
    """A change of 4 points that comes from a hundred times 0.04."""
    domain = card(RATE, {"a": (1, 1)}, {"a": (1, 1)}).domain
    sides = {
        (f"w{i:03d}", ""): tuple({DAYS_SEEN: 28.0, "x": x, "y": 100.0} for x in (14.0, 10.0))
        for i in range(100)
    }
    assert finding(scorecard(domain, sides)).endswith("to 14.0 %; no single workspace stands out")


def test_what_can_not_be_compared_is_nobodys_doing():
    some = {"a": (2, 10), "b": (1, 10)}
    assert finding(card(RATE, some, {})) == (
        "Change failure rate: 15.0 %, nothing earlier to compare; Alpha is worst (20.0 %)"
    )
    assert finding(card(RATE, {}, some)) == "Change failure rate: no data in this period"


def test_one_workspace_alone_moved_what_it_moved():
    assert counts(OPEN, a=(4, 8)) == "Open incidents rose by 4 to 8"


def test_the_page_lists_what_moved_it():
    """Parts of every workspace, and of the others together: the column adds up to the change."""
    dashboard = samples.dashboard()
    slugs = [c.slug for c in dashboard.scorecards[0].cards]
    dora = dashboard.scorecards[0]
    base = dict.fromkeys(dora.domain.natures(), 0.0) | {DAYS_SEEN: 28.0}
    base = {k: None if k.endswith("_time") else v for k, v in base.items()}
    sides = {
        (slug, ""): tuple(
            base | {"ended_deployments": 100.0, "failed_deployments": float(failed)}
            for failed in (10 + 2 * i, 10)
        )
        for i, slug in enumerate(slugs)
    }
    moved = scorecard(dora.domain, sides)
    figures = {**dora.figures, dora.domain.headline: moved.headline}
    told = replace(dora, figures=figures, facts=moved.facts)
    pdf = draw(
        replace(dashboard, scorecards=(told, *dashboard.scorecards[1:])),
        requested_by="a@b.example",
        exported_at=datetime(2026, 11, 23, tzinfo=UTC),
        export_id="e",
    )
    pages = [" ".join(p.extract_text().split()) for p in PdfReader(io.BytesIO(pdf)).pages]
    assert "Adds, pts" in pages[1]
    assert f"{dora.cards[11].name} " in pages[1]
    adds = [formats.shift(2 * i / 1200, Unit.RATIO).removesuffix(" pts") for i in range(12)]
    assert all(f" {added} " in pages[1] for added in adds)
    assert " +11.0 How it is counted" in pages[1]
    assert " ".join(finding(told).split()) in pages[1]
    assert "Adds" not in pages[2]
