"""Text that always fits: what the fonts can show, how wide it is, where it breaks or is cut."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

FAMILY = "noto"
FACES = {"": "NotoSans-Regular.ttf", "B": "NotoSans-Bold.ttf"}
FONTS = Path(__file__).parent.parent / "fonts"
ELLIPSIS, MISSING = "…", "□"
INVISIBLE = ("Cf", "Mn", "Me")
"""Joiners, direction marks, variation selectors: nothing to see where the base is missing."""


class Type:
    """Measures in points with the pack's two faces. Both hold the same characters."""

    def __init__(self, pdf: FPDF) -> None:
        for style, file in FACES.items():
            pdf.add_font(FAMILY, style, FONTS / file)
        regular, bold = (_embedded(pdf, style) for style in FACES)
        self._advance: dict[bool, Mapping[int, float]] = {False: regular.cw, True: bold.cw}
        self._known = frozenset(regular.cmap)
        self.clean = lru_cache(4096)(self._clean)
        self.width = lru_cache(8192)(self._width)
        self.fit = lru_cache(8192)(self._fit)

    def _clean(self, text: str) -> str:
        """``text`` on one line, every character of it one that the fonts have."""
        composed = unicodedata.normalize("NFC", text)
        return "".join(map(self._shown, composed)).strip()

    def _shown(self, char: str) -> str:
        if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Zs"):
            return " "
        if ord(char) in self._known and unicodedata.category(char) != "Cf":
            return char
        return "" if unicodedata.category(char) in INVISIBLE else MISSING

    def lacks(self, text: str) -> bool:
        """Whether something of ``text`` can not be shown."""
        return MISSING in self.clean(text)

    def _width(self, text: str, size: float, bold: bool = False) -> float:
        """Width of a clean text in points."""
        advance = self._advance[bold]
        return sum(advance[ord(char)] for char in text) * size / 1000

    def _fit(self, text: str, room: float, size: float, bold: bool = False) -> str:
        """``text`` clean, cut with an ellipsis where it is wider than ``room`` points."""
        text = self.clean(text)
        if self.width(text, size, bold) <= room + 0.01:
            return text
        advance, left = self._advance[bold], room - self.width(ELLIPSIS, size, bold)
        for cut, char in enumerate(text):
            left -= advance[ord(char)] * size / 1000
            if left < 0:
                return text[:cut].rstrip() + ELLIPSIS
        return text

    def lines(
        self, text: str, room: float, size: float, bold: bool = False, most: int = 99
    ) -> list[str]:
        """``text`` broken at spaces into at most ``most`` lines, the last one cut to fit."""
        found: list[str] = []
        words = self.clean(text).split()
        while words and len(found) < most - 1:
            taken = self._taken(words, room, size, bold)
            found.append(self.fit(" ".join(words[:taken]), room, size, bold))
            words = words[taken:]
        return [*found, self.fit(" ".join(words), room, size, bold)] if words else found

    def _taken(self, words: Sequence[str], room: float, size: float, bold: bool) -> int:
        """How many of the words go on one line; at least one."""
        line = words[0]
        for count, word in enumerate(words[1:], 1):
            line = f"{line} {word}"
            if self.width(line, size, bold) > room:
                return count
        return len(words)

    def listed(self, names: Sequence[str], room: float, size: float) -> str:
        """Names with commas, each short enough to be one of several, as many as ``room`` points hold:
        "Search, Edge CDN and 12 more"."""
        short = [self.fit(name, 110, size) for name in names]
        for count in range(len(short), 0, -1):
            more = f" and {len(short) - count} more" if count < len(short) else ""
            text = ", ".join(short[:count]) + more
            if count == 1 or self.width(text, size) <= room:
                return text
        return ""


def _embedded(pdf: FPDF, style: str) -> TTFFont:
    face = pdf.fonts[FAMILY + style]
    if not isinstance(face, TTFFont):
        raise TypeError("the pack's font is not embedded")
    return face
