"""Words of people in the pack: comments with room of their own, notes numbered on the lines they are of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from aggregators.chosen.annotations import Annotation
from aggregators.pooling.dashboard import Dashboard
from exports.board_pdf import draw
from exports.pack import marks
from exports.pack.comments import Comment
from tests import samples
from tests.deep import all_but
from tests.exports.pack.packs import AT, BY, EXPORT, collisions, pack, texts, words_of

LAST = "Vvv."
LONG = ("The freeze ends on 4 December and the rest follows. " * 11)[:595] + LAST
WIDE = "WWWWWW " * 85 + LAST
SHORT = f"Two failures in three are of the batch scheduler. {LAST}"


def note(number: int, workspace: str | None, about: str, first: date) -> Annotation:
    told = f"Migration {number}"
    return Annotation(UUID(int=number), workspace, about, first, first, told, BY, datetime.now(UTC))


def noted(dashboard: Dashboard, *notes: Annotation) -> Dashboard:
    """The dashboard with notes on its first domain."""
    first, *others = dashboard.scorecards
    return replace(dashboard, scorecards=(replace(first, annotations=notes), *others))


@pytest.mark.parametrize("workspaces", all_but([1], [1, 12, 40]))
@pytest.mark.parametrize("text", [SHORT, LONG, WIDE], ids=["short", "long", "wide"])
def test_comments_have_room_on_the_cover_and_every_page(workspaces, text):
    sample = samples.only(samples.dashboard(max(workspaces, 3)), workspaces)
    first = sample.scorecards[0]
    slug = next(iter(first.cards)).slug
    day = first.headline.series[3][0]
    sample = noted(sample, *(note(n, slug if n % 2 else None, "", day) for n in range(1, 7)))
    pages = ("cover", *(s.domain.key for s in sample.scorecards))
    told = {page: Comment(text, "bob@northwind.example", date(2026, 11, 20)) for page in pages}
    file = draw(sample, requested_by=BY, exported_at=AT, export_id=EXPORT, comments=told)
    assert collisions(file) == []
    drawn = texts(pack(sample, comments=told))
    for page in drawn[: len(pages)]:
        assert "bob@northwind.example, 20 Nov 2026" in page
        assert LAST in page
    assert all(word.bottom < 590 for page in words_of(file) for word in page)


def test_a_line_is_marked_where_the_note_begins_and_by_its_number_in_the_list():
    sample = samples.dashboard(3)
    first = sample.scorecards[0]
    slug = next(iter(first.cards)).slug
    days = [day for day, _ in first.headline.series]
    card = noted(
        sample,
        note(1, None, "", date(2000, 1, 1)),
        note(2, slug, first.domain.key, days[9]),
        note(3, None, f"{first.domain.key}.{first.domain.supporting[0]}", days[5]),
        note(4, None, f"{first.domain.key}.{first.domain.headline}", days[-1]),
        note(5, None, "", days[4]),
    ).scorecards[0]
    series = card.headline.series
    assert marks.shares(series, marks.of_line(card)) == [(0.0, 1), (1.0, 4)]
    assert marks.shares(series, marks.of_line(card, slug)) == [(9 / (len(days) - 1), 2)]
    assert marks.of_line(card, "another") == []


@pytest.mark.parametrize(
    ("across", "placed"),
    [
        ([10.0, 10.0, 11.0], [10.0, 16.5, 23.0]),
        ([98.0, 99.0, 100.0], [87.0, 93.5, 100.0]),
        ([10.0, 50.0], [10.0, 50.0]),
        ([], []),
    ],
)
def test_marks_of_one_day_stand_beside_each_other(across, placed):
    assert marks.spread_apart(across, 100.0) == placed
