"""The board pack, read back page by page."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from aggregators import words
from aggregators.domains import DOMAINS
from aggregators.figures import (
    NO_SNAPSHOT_THEN,
    Dashboard,
    Evidence,
    Figure,
    Scope,
    Scorecard,
)
from aggregators.groups import dropped
from aggregators.measure import Status, Unit
from exports.board_pdf import draw, file_name
from exports.pack.charts import scale, tick_words
from exports.pack.finding import finding, standing
from tests import samples

AT = datetime(2026, 11, 23, 9, 31, 2, tzinfo=UTC)
BY, EXPORT = "anna.schmidt@northwind.example", "exp-7F3A21"


def pack(dashboard: Dashboard, **changes) -> PdfReader:
    asked = {"requested_by": BY, "exported_at": AT, "export_id": EXPORT} | changes
    return PdfReader(io.BytesIO(draw(dashboard, **asked)))


def flat(text: str) -> str:
    return " ".join(text.split())


def texts(reader: PdfReader) -> list[str]:
    return [flat(page.extract_text()) for page in reader.pages]


@pytest.fixture(scope="module")
def dashboard() -> Dashboard:
    return samples.dashboard()


@pytest.fixture(scope="module")
def reader(dashboard) -> PdfReader:
    return pack(dashboard)


def test_cover(reader, dashboard):
    cover = texts(reader)[0]
    for said in (
        "Northwind Group",
        "Executive dashboard",
        "26 Oct – 22 Nov 2026",
        "Needs attention",
    ):
        assert said in cover
    assert "28 Sep – 25 Oct 2026" in cover
    assert "22 Nov 2026" in cover
    assert "UTC" in cover
    assert "12 of 15" in cover
    assert "Old Portal" in cover
    assert "Sydney Hub" in cover
    for scorecard in dashboard.scorecards:
        assert scorecard.domain.title in cover
        assert words.figure(scorecard.headline) in cover
    found = [a.found for a in sorted(dashboard.answers, key=lambda a: cover.index(a.question))]
    assert found == sorted(found, reverse=True)
    assert "page 1" not in cover


def test_a_page_per_domain_in_order(reader, dashboard):
    pages = texts(reader)
    for number, domain in enumerate(DOMAINS, 1):
        page, scorecard = pages[number], dashboard.scorecard(domain.key)
        assert domain.title in page
        assert flat(finding(scorecard)) in page
        assert words.figure(scorecard.headline) in page
        assert f"page {number} of {len(pages) - 1}" in page
        assert flat(domain.measure(domain.headline).definition)[:60] in page


def test_appendix_holds_the_numbers_of_every_workspace(reader, dashboard):
    appendix = " ".join(texts(reader)[7:])
    for scorecard in dashboard.scorecards:
        for card in scorecard.cards:
            assert card.name in appendix
            for key in scorecard.domain.columns:
                figure = card.figures[key]
                for one in (figure.by or {"": figure}).values():
                    assert words.figure(one) in appendix
                    if words.evidence(one):
                        assert words.number(one.evidence.denominator or one.evidence.n) in appendix


def test_every_page_is_stamped(reader):
    """The address and the instant stand in the footer and, turned, in the watermark."""
    for page in reader.pages:
        turned: list[str] = []

        def visit(text, cm, tm, font, size, turned=turned):
            if abs(cm[1]) > 0.2 or abs(tm[1]) > 0.2:
                turned.append(text)

        upright = page.extract_text(visitor_text=visit)
        assert BY in "".join(turned)
        assert AT.isoformat() in "".join(turned)
        assert EXPORT in upright
        assert upright.count(BY) >= 2
        states = page["/Resources"]["/ExtGState"].values()
        assert any(abs(float(s.get_object().get("/ca", 1)) - 0.12) < 0.001 for s in states)


def test_labels_outline_and_metadata(reader):
    labels = reader.page_labels
    assert labels[1:] == [str(n) for n in range(1, len(labels))]
    assert labels[0] != "1"
    titles = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert titles == ["Cover", *(d.title for d in DOMAINS), "Appendix"]
    assert EXPORT in reader.metadata["/Keywords"]
    assert "Northwind Group" in reader.metadata.title
    assert b"pdfaid" in reader.trailer["/Root"]["/Metadata"].get_data()


def test_metadata_says_the_same_in_both_places(reader):
    """PDF/A allows /Info where it agrees with XMP."""
    info, xmp = reader.metadata, reader.xmp_metadata
    assert xmp.dc_title["x-default"] == info.title
    assert xmp.dc_description["x-default"] == info.subject
    assert xmp.dc_creator == [info.author] == ["Northwind Group"]
    assert xmp.pdf_keywords == info["/Keywords"]
    assert xmp.pdf_producer == info.producer
    assert info.creation_date == AT


def test_nothing_in_it_acts(reader):
    """No script, no action, no attachment, no form, no link: it opens on a page, that is all."""
    root = reader.trailer["/Root"]
    assert not {"/AA", "/AcroForm", "/Names"} & set(root)
    assert isinstance(root.get("/OpenAction", []), list)
    names = {
        key
        for number in range(1, reader.trailer["/Size"])
        if isinstance(held := reader.get_object(number), dict)
        for key in held
    }
    assert not {"/JS", "/JavaScript", "/AA", "/EmbeddedFile", "/URI"} & names
    assert not any("/Annots" in page or "/AA" in page for page in reader.pages)


def test_every_line_lies_on_the_page(dashboard):
    """Nothing is cut by the paper, the watermark of a very long address included."""
    long = "somebody.with.a.very.long.name@" + "subsidiary." * 8 + "example"
    for page in pack(dashboard, requested_by=long).pages:
        ends: list[tuple[float, float]] = []

        def visit(text, cm, tm, font, size, ends=ends):
            if text.strip():
                x, y = tm[4], tm[5]
                ends.append((cm[0] * x + cm[2] * y + cm[4], cm[1] * x + cm[3] * y + cm[5]))

        page.extract_text(visitor_text=visit)
        assert len(ends) > 6
        for x, y in ends:
            assert 0 < x < float(page.mediabox.width)
            assert 0 < y < float(page.mediabox.height)


def test_fonts_are_embedded_and_nothing_is_a_picture(reader):
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in descendant["/FontDescriptor"].get_object()
        assert not page.images
        assert float(page.mediabox.width) > float(page.mediabox.height)


def test_what_is_written_by_hand_leaves_no_state_behind(reader):
    """fpdf2 repeats no colour and no width that it believes is set: a text that set another, and left
    it, would change the fills after it."""
    for page in reader.pages:
        inner = re.findall(rb"(q )?BT\n(.*?)\nET( Q)?", page.get_contents().get_data(), re.DOTALL)
        assert len(inner) > 6
        assert all(before == b"q " and after == b" Q" for before, _, after in inner)


def only(dashboard: Dashboard, count: int) -> Dashboard:
    """The first workspaces alone."""
    slugs = dashboard.scope.slugs[:count]
    scope = replace(
        dashboard.scope, slugs=slugs, names={s: dashboard.scope.names[s] for s in slugs}
    )
    scorecards = tuple(
        replace(s, cards=tuple(c for c in s.cards if c.slug in slugs)) for s in dashboard.scorecards
    )
    return replace(dashboard, scope=scope, scorecards=scorecards)


@pytest.mark.parametrize("workspaces", [1, 200])
def test_any_number_of_workspaces(workspaces):
    dashboard = only(samples.dashboard(200), workspaces)
    pages = texts(pack(dashboard))
    appendix = " ".join(pages[7:])
    assert all(name in appendix for name in dashboard.scope.names.values())
    assert "page 7 of" in pages[7]
    assert f"page {len(pages) - 1} of {len(pages) - 1}" in pages[-1]
    assert all("Workspace" in page and "num. / den." in page for page in pages[7:])


def nothing(dashboard: Dashboard, days_seen: int = 0) -> Dashboard:
    """As read before the first snapshot."""
    seen = Evidence(days_seen=days_seen)
    bare = tuple(
        Scorecard(s.domain, {m.key: Figure(m, evidence=seen) for m in s.domain.measures})
        for s in dashboard.scorecards
    )
    return replace(dashboard, as_of=None, snapshot_at=None, scorecards=bare, answers=())


@pytest.mark.parametrize("workspaces", [0, 12])
def test_without_any_snapshot_or_workspace(dashboard, workspaces):
    scope = dashboard.scope if workspaces else Scope()
    pages = texts(pack(replace(nothing(dashboard), scope=scope)))
    for number, domain in enumerate(DOMAINS, 1):
        assert domain.title in pages[number]
        assert domain.measure(domain.headline).title in pages[number]
        assert "No figures on this page" in pages[number]
    said = "No snapshot has been made yet." if workspaces else "No workspaces in scope."
    assert all(said in page for page in pages[1:])
    assert not any(sign in " ".join(pages) for sign in ("nan", "inf %"))


def test_a_domain_without_data_says_so_in_its_own_words(dashboard):
    for days_seen in (0, 28):
        empty = nothing(dashboard, days_seen).scorecards
        pages = texts(pack(replace(dashboard, scorecards=empty)))
        for number, domain in enumerate(DOMAINS, 1):
            why = flat(domain.empty) if days_seen else NO_SNAPSHOT_THEN
            assert why in pages[number]
            assert why in " ".join(pages[7:])


def test_letters_that_the_fonts_lack(dashboard):
    names = ("Łódź Ωμέγα Я", "漢字", "مرحبا", "Team 👩‍👩‍👧 {nb}", "W" * 400, "a\nb\x00c", "")
    scorecards = tuple(
        replace(
            s,
            cards=tuple(replace(c, name=n) for c, n in zip(s.cards, names, strict=False)),
        )
        for s in dashboard.scorecards
    )
    odd = replace(dashboard, organisation="北方 Northwind", scorecards=scorecards)
    reader = pack(odd, requested_by="łukasz+漢@example.org")
    whole = " ".join(texts(reader))
    assert "Łódź Ωμέγα Я" in whole
    assert f"□□ ({dashboard.scorecards[0].cards[1].slug})" in whole
    assert "{nb}" in whole
    assert "W…" in whole


def test_progress_counts_the_parts(dashboard):
    told: list[tuple[int, int]] = []
    draw(
        dashboard,
        requested_by=BY,
        exported_at=AT,
        export_id=EXPORT,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(done, 8) for done in range(1, 9)]


def test_the_same_arguments_give_the_same_bytes(dashboard):
    asked = {"requested_by": BY, "exported_at": AT, "export_id": EXPORT}
    assert draw(dashboard, **asked) == draw(dashboard, **asked)


def test_an_instant_without_zone_is_refused(dashboard):
    with pytest.raises(ValueError, match="zone"):
        pack(dashboard, exported_at=AT.replace(tzinfo=None))


def test_pictures_mark_what_is_past_its_threshold(dashboard):
    """The matrix marks a bad cell with "!"; the bars say what is not set up."""
    for number, domain in enumerate(DOMAINS, 1):
        page = texts(pack(dashboard))[number]
        cards = dashboard.scorecard(domain.key).cards
        if domain.picture == "matrix":
            for card in cards[:5]:
                for key in domain.columns:
                    if card.figures[key].status is Status.BAD:
                        assert f"{words.figure(card.figures[key])} !" in page
        if domain.picture == "bars":
            assert "not set up" in page


SLOS = next(d for d in DOMAINS if d.key == "slos")


def in_budget(dashboard: Dashboard, *shares: float) -> str:
    """The page of the objectives where the workspaces keep so many of theirs."""
    scorecard = dashboard.scorecard("slos")
    cards = tuple(
        replace(card, figures={**card.figures, SLOS.headline: Figure(SLOS.measures[0], share)})
        for card, share in zip(scorecard.cards, shares, strict=True)
    )
    assert SLOS.measures[0].key == SLOS.headline
    return texts(pack(replace(dashboard, scorecards=(replace(scorecard, cards=cards),))))[1]


def test_who_stands_at_the_best_is_not_among_the_worst(dashboard):
    page = in_budget(only(dashboard, 4), 0.5, 0.75, 1.0, 1.0)
    assert "Worst by objectives in budget 2 of 4" in page
    assert "2 more workspaces in the appendix, all at 100.0 %." in page
    assert "Worst by fastest burn" in page
    page = in_budget(only(dashboard, 4), 1.0, 1.0, 1.0, 1.0)
    assert "No workspace stands out by objectives in budget" in page
    assert "4 workspaces in the appendix, all at 100.0 %." in page


def test_no_answers_figure_is_cut(dashboard):
    long = replace(dashboard.answers[0], figure="46 min → 1 h 13 min → 1 h 41 min")
    assert long.figure in texts(pack(replace(dashboard, answers=(long,))))[0]


def test_few_rows_are_not_left_to_the_next_sheet():
    """A domain continues with four rows at least, however many workspaces there are."""
    most = samples.dashboard(48)
    most = replace(most, scorecards=most.scorecards[:1])
    for workspaces in range(34, 46):
        dashboard = only(most, workspaces)
        pages = [page.extract_text().splitlines() for page in pack(dashboard).pages[2:]]
        names = tuple(dashboard.scope.names.values())
        rows = [sum(line.startswith(names) for line in page) for page in pages]
        assert sum(rows) == workspaces
        assert all(count >= 4 for count in rows[1:])


@pytest.mark.parametrize(
    ("now", "before", "alarm"),
    [(0.85, 0.9, False), (0.849, 0.9, True), (0.9, 0.85, False), (0.8, None, False)],
)
def test_a_drop_alerts_strictly_past_the_limit(now, before, alarm):
    domain = next(d for d in DOMAINS if d.drop_alert == 0.05)
    figure = Figure(domain.measure(domain.headline), now, before, comparable=True)
    assert dropped(figure, domain) is alarm


def test_file_name():
    assert file_name(AT) == "vigilo-executive-20261123.pdf"


DORA = DOMAINS[0]


def card_of(dashboard: Dashboard, now, before, *, comparable=True) -> Scorecard:
    scorecard = dashboard.scorecard(DORA.key)
    head = replace(scorecard.headline, value=now, previous=before, comparable=comparable)
    cards = tuple(
        replace(c, figures={**c.figures, DORA.headline: replace(head, value=0.1 + i / 10)})
        for i, c in enumerate(scorecard.cards[:2])
    )
    return replace(scorecard, figures={**scorecard.figures, DORA.headline: head}, cards=cards)


def test_finding(dashboard):
    assert finding(card_of(dashboard, 0.142, 0.1)).startswith(
        "Change failure rate rose by 4.2 points to 14.2 %; "
    )
    assert finding(card_of(dashboard, 0.142, 0.2)).startswith(
        "Change failure rate fell by 5.8 points to 14.2 %; "
    )
    assert "held at 14.2 %" in finding(card_of(dashboard, 0.142, 0.1422))
    fresh = finding(card_of(dashboard, 0.142, None))
    assert "14.2 %" in fresh
    assert "rose" not in fresh
    assert "fell" not in fresh
    assert "no data in this period" in finding(card_of(dashboard, None, None))
    worst = card_of(dashboard, 0.142, 0.1)
    assert f"{worst.cards[1].name} is worst" in finding(worst)
    alone = replace(worst, cards=worst.cards[:1])
    assert "worst" not in finding(alone)


def test_finding_names_group_and_measure_where_they_differ(dashboard):
    """A domain with groups names the group, one that ranks its worst otherwise names by what."""
    for scorecard in dashboard.scorecards:
        said = finding(scorecard)
        head, by = scorecard.headline, scorecard.domain.worst_by
        if head.has_data and head.group:
            assert said.startswith(f"{head.measure.title} ({head.group})")
        if head.has_data and by and by != scorecard.domain.headline:
            title = scorecard.domain.measure(by).title
            assert f"is worst ({title[0].lower()}{title[1:]} " in said


def test_a_domain_stands_as_its_headline_or_as_the_worst_beside_it(dashboard):
    judged = replace(DORA.measure(DORA.headline), watch=0.1, bad=0.2)
    free = replace(judged, watch=None, bad=None)
    scorecard = card_of(dashboard, 0.15, 0.1)

    def as_measured_by(measure):
        head = replace(scorecard.headline, measure=measure)
        shown = {**scorecard.figures, DORA.headline: head}
        return standing(replace(scorecard, figures=shown))

    assert as_measured_by(judged).status is Status.WATCH
    other = as_measured_by(free)
    assert other.measure.key in {*DORA.supporting, *free.beside}
    assert other.measure.bad is not None


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize(
    "values", [[0.0], [0.94, 0.96], [1.0, 1.0], [0.0, 0.003], [3.0, 41.0], [4e3, 9e5], [-0.4, 0.3]]
)
def test_a_scale_holds_the_values_and_its_ticks_differ(unit, values):
    of = scale(values, unit)
    assert of.low <= min(values) + 1e-9
    assert of.high >= max(values) - 1e-9
    assert 1 <= of.steps <= 7
    ticks = tick_words(of, unit)
    assert len(set(ticks)) == len(ticks)


def test_thresholds_in_words():
    assert words.thresholds(DORA.measure("change_failure_rate")) == (
        "Watch at 10.0 % or more, bad at 15.0 % or more"
    )
    assert words.thresholds(DORA.measure("deployments")) == ""
