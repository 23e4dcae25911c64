"""The board pack, read back page by page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pypdf import PdfReader

from aggregators import words
from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import NO_SNAPSHOT_THEN, Dashboard, DashboardScope
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Status
from exports.board_pdf import draw
from exports.pack.finding import finding
from tests import samples
from tests.deep import all_but, long
from tests.exports.pack.packs import AT, BY, EXPORT, flat, pack, texts


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
                        assert (
                            formats.number(one.evidence.denominator or one.evidence.n) in appendix
                        )


def test_every_page_is_stamped(reader):
    """The address and the instant stand in the footer and, turned, in the watermark."""
    for page in reader.pages:
        turned: list[str] = []

        def visit(text, cm, tm, font, size, turned=turned):
            if abs(cm[1]) > 0.2 or abs(tm[1]) > 0.2:
                turned.append(text)

        upright = page.extract_text(visitor_text=visit)
        assert BY in "".join(turned)
        assert "2026-11-23 09:31:02 UTC" in "".join(turned)
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


@pytest.mark.parametrize("workspaces", all_but([1], [1, 200]))
def test_any_number_of_workspaces(workspaces):
    dashboard = samples.only(samples.dashboard(200), workspaces)
    pages = texts(pack(dashboard))
    appendix = " ".join(pages[7:])
    assert all(name in appendix for name in dashboard.scope.names.values())
    assert "page 7 of" in pages[7]
    assert f"page {len(pages) - 1} of {len(pages) - 1}" in pages[-1]
    assert all("Workspace" in page and "num. / den." in page for page in pages[7:])


def nothing(dashboard: Dashboard, days_seen: int = 0) -> Dashboard:
    """As read before the first snapshot."""
    bare = tuple(samples.without_data(s, days_seen) for s in dashboard.scorecards)
    return replace(dashboard, as_of=None, snapshot_at=None, scorecards=bare, answers=())


@pytest.mark.parametrize("workspaces", [0, 12])
def test_without_any_snapshot_or_workspace(dashboard, workspaces):
    scope = dashboard.scope if workspaces else DashboardScope()
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
    names = ("Łódź Ωμέγα Я", "ქა", "مرحبا", "Team 👩‍👩‍👧 {nb}", "W" * 400, "a\nb\x00c", "")
    scorecards = tuple(
        replace(
            s,
            cards=samples.renamed(
                s.cards, dict(zip((c.slug for c in s.cards), names, strict=False))
            ),
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


@long("tests/exports/pack/test_places.py::test_a_workspaces_own_target_is_drawn_and_judges_it")
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


def test_no_answers_figure_is_cut(dashboard):
    long = replace(dashboard.answers[0], figure="46 min → 1 h 13 min → 1 h 41 min")
    assert long.figure in texts(pack(replace(dashboard, answers=(long,))))[0]


@long("tests/exports/pack/test_places.py::test_no_word_lies_on_another")
def test_few_rows_are_not_left_to_the_next_sheet():
    """A domain continues with four rows at least, however many workspaces there are."""
    most = samples.dashboard(48)
    most = replace(most, scorecards=most.scorecards[:1])
    for workspaces in range(34, 46):
        dashboard = samples.only(most, workspaces)
        pages = [page.extract_text().splitlines() for page in pack(dashboard).pages[2:]]
        names = tuple(dashboard.scope.names.values())
        rows = [sum(line.startswith(names) for line in page) for page in pages]
        assert sum(rows) == workspaces
        assert all(count >= 4 for count in rows[1:])
