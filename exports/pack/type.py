"""Text that always fits: what the fonts can show, how wide it is, where it breaks or is cut."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
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


class Advances(dict[str, float]):
    """How far each character of a face goes on, in ems; read from the face when it is first used."""

    def __init__(self, face: TTFFont) -> None:
        self._face = face

    def __missing__(self, char: str) -> float:
        self[char] = self._face.cw[ord(char)] / 1000
        return self[char]


class Codes(dict[str, str]):
    """The code of each character in the subset that is embedded; asking adds it to the subset."""

    def __init__(self, face: TTFFont) -> None:
        self._face = face

    def __missing__(self, char: str) -> str:
        self[char] = f"{self._face.subset.pick(ord(char)):04X}"
        return self[char]


class Shown(dict[int, str]):
    """What stands for a character (its number): itself, a space, nothing, or a box."""

    def __init__(self, face: TTFFont) -> None:
        self._known = frozenset(face.cmap)

    def __missing__(self, number: int) -> str:
        kind = unicodedata.category(chr(number))
        if kind in ("Cc", "Zl", "Zp", "Zs"):
            found = " "
        elif number in self._known and kind != "Cf":
            found = chr(number)
        else:
            found = "" if kind in INVISIBLE else MISSING
        self[number] = found
        return found


class Type:
    """Measures in points with the pack's two faces. Both hold the same characters."""

    def __init__(self, pdf: FPDF) -> None:
        for style, file in FACES.items():
            pdf.add_font(FAMILY, style, FONTS / file)
        self.faces = tuple(_embedded(pdf, style) for style in FACES)
        self._advance = tuple(Advances(face) for face in self.faces)
        self._codes = tuple(Codes(face) for face in self.faces)
        self._shown = Shown(self.faces[0])
        self.clean = lru_cache(8192)(self._clean)
        self.fit = lru_cache(8192)(self._fit)
        self.glyphs = lru_cache(8192)(self._glyphs)

    def _clean(self, text: str) -> str:
        """``text`` on one line, every character of it one that the fonts have."""
        return unicodedata.normalize("NFC", text).translate(self._shown).strip()

    def _glyphs(self, text: str, bold: bool) -> tuple[str, float]:
        """``text`` clean, as the codes of an embedded face in hexadecimal, and its width in ems."""
        text = self.clean(text)
        codes = "".join(map(self._codes[bold].__getitem__, text))
        return codes, sum(map(self._advance[bold].__getitem__, text))

    def lacks(self, text: str) -> bool:
        """Whether something of ``text`` can not be shown."""
        return MISSING in self.clean(text)

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """Width of a clean text in points."""
        return sum(map(self._advance[bold].__getitem__, text)) * size

    def _fit(self, text: str, room: float, size: float, bold: bool = False) -> str:
        """``text`` clean, cut with an ellipsis where it is wider than ``room`` points."""
        text = self.clean(text)
        if self.width(text, size, bold) <= room + 0.01:
            return text
        advance, left = self._advance[bold], room - self.width(ELLIPSIS, size, bold)
        for cut, char in enumerate(text):
            left -= advance[char] * size
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
