"""Names in nine scripts are in the pack as they are: readable by eye, and by whoever copies them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from exports.pack.paper.canvas import Canvas, Stamp
from exports.pack.paper.style import Box

NAMES = {
    "Latin": "Łódź logistics",
    "Greek": "Ελληνικά δίκτυα",
    "Cyrillic": "Платежи и расчёты",
    "Arabic": "فريق المدفوعات",
    "Hebrew": "צוות התשלומים",
    "Devanagari": "भुगतान सेवा",
    "Thai": "การชำระเงิน",
    "Han": "支付平台团队",
    "kana": "決済プラットフォーム",
}
STAMP = Stamp("a@x.example", datetime(2026, 11, 28, tzinfo=UTC), "id-1")


def drawn(*names: str) -> tuple[Canvas, PdfReader]:
    """A page with the names below each other."""
    canvas = Canvas(STAMP)
    canvas.page()
    for number, name in enumerate(names):
        canvas.text(Box(60, 40 + number * 30, 300, 20), name, 12)
    return canvas, PdfReader(io.BytesIO(canvas.finish()))


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_every_character_of_the_name_is_in_the_text(name):
    canvas, pdf = drawn(name)
    assert not canvas.type.lacks(name)
    text = pdf.pages[0].extract_text()
    assert set(name.replace(" ", "")) <= set(text)


def test_faces_are_embedded_where_a_name_needs_them_and_only_then():
    def faces(*names: str) -> int:
        _, pdf = drawn(*names)
        return len(pdf.pages[0]["/Resources"]["/Font"])

    assert faces(*NAMES.values()) == faces("Payments") + 5


def test_words_from_right_to_left_are_joined_in_their_order():
    """The letters of an Arabic word are joined: drawn one by one they would be wider."""
    canvas, _ = drawn(NAMES["Arabic"])
    (run,) = canvas.type.glyphs("فريق", False)[0]
    assert run.face is not None
    assert run.width < canvas.type.width("فريق", 1)


def test_the_watermark_lies_behind_the_text():
    _, pdf = drawn("Payments")
    contents = pdf.pages[0].get_contents().get_data().decode("latin-1")
    opacity = contents.index(" gs")
    assert opacity < contents.index("60.00 ")
