"""Scripts that the pack's own faces lack. Each has a face that is embedded when a name needs it, and its
text is shaped by HarfBuzz: joined, reordered, from right to left, marks in their place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fpdf import FPDF
from fpdf.fonts import TTFFont

FONTS = Path(__file__).parents[2] / "fonts"
RANGES = {
    "Hebrew": ((0x0590, 0x05FF), (0xFB1D, 0xFB4F)),
    "Arabic": ((0x0600, 0x06FF), (0x0750, 0x077F), (0x08A0, 0x08FF)),
    "Devanagari": ((0x0900, 0x097F), (0xA8E0, 0xA8FF)),
    "Thai": ((0x0E00, 0x0E7F),),
    "Han": ((0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xFF01, 0xFF60)),
}
"""Characters by the face that has them; Han holds the kana too."""


class Piece(NamedTuple):
    """Glyphs of a run: a TJ array's inside, in thousandths of an em, ``rise`` ems above the baseline."""

    rise: float
    array: str


class Run(NamedTuple):
    """Text in one face: None for the pack's own, whose ``codes`` are hexadecimal."""

    face: TTFFont | None
    codes: str
    pieces: tuple[Piece, ...]
    width: float


class Fallbacks:
    """Faces of other scripts, each added to the document when a character asks for it."""

    def __init__(self, pdf: FPDF) -> None:
        self._pdf = pdf
        self._faces: dict[str, TTFFont] = {}

    def face(self, number: int) -> TTFFont | None:
        """Face that has a character; None where none does."""
        name = _script(number)
        if name is None:
            return None
        face = self._faces.get(name) or self._add_face(name)
        return face if number in face.cmap else None

    def _add_face(self, name: str) -> TTFFont:
        """The face of a script, added to the document."""
        family = f"noto{name.lower()}"
        self._pdf.add_font(family, "", FONTS / f"NotoSans{name}-Regular.ttf")
        face = self._pdf.fonts[family]
        if not isinstance(face, TTFFont):
            raise TypeError(f"the face of {name} is not embedded")
        self._faces[name] = face
        return face

    def segments(self, text: str) -> Iterator[tuple[TTFFont | None, str]]:
        """Parts of ``text`` in one face each; spaces between words of a face are its own."""
        part, of = "", None
        for at, char in enumerate(text):
            face = of if char == " " and self._goes_on(text, at, of) else self.face(ord(char))
            if face is not of and part:
                yield of, part
                part = ""
            part, of = part + char, face
        if part:
            yield of, part

    def _goes_on(self, text: str, at: int, of: TTFFont | None) -> bool:
        return at + 1 < len(text) and self.face(ord(text[at + 1])) is of


def shape_text(face: TTFFont, text: str) -> Run:
    """Text of another script, in the order in which its glyphs are drawn."""
    pieces: list[Piece] = []
    width, array, rise = 0.0, "", 0.0
    for glyph in face.shape_text(text, 10, None):
        above = glyph["y_offset"] / 1000
        if above != rise:
            if array:
                pieces.append(Piece(rise, array))
            array, rise = "", above
        offset, advance = glyph["x_offset"], glyph["x_advance"]
        before = f"{-offset} " if offset else ""
        rest = advance - offset - _width(face, glyph["mapped_char"])
        array += f"{before}<{glyph['mapped_char']:04X}>{f' {-rest} ' if rest else ''}"
        width += advance / 1000
    if array:
        pieces.append(Piece(rise, array))
    return Run(face, "", tuple(pieces), width)


def _width(face: TTFFont, code: int) -> int:
    """Width that the document gives a glyph by its code in the subset."""
    for glyph, mapped in face.subset.items():
        if mapped == code and glyph is not None:
            return int(glyph.glyph_width)
    return 0


def _script(number: int) -> str | None:
    if number < 0x0590:
        return None
    for name, ranges in RANGES.items():
        if any(first <= number <= last for first, last in ranges):
            return name
    return None
