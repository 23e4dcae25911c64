"""Text that always fits: what the fonts can show, how wide it is, where it breaks or is cut."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from fpdf import FPDF
from fpdf.fonts import TTFFont

from exports.pack.paper.scripts import FONTS, Fallbacks, Run, shape_text

Glyphs = str | tuple[Run, ...]
FAMILY = "noto"
FACES = {"": "NotoSans-Regular.ttf", "B": "NotoSans-Bold.ttf"}
ELLIPSIS, MISSING = "…", "□"
INVISIBLE = ("Cf", "Mn", "Me")
"""Joiners, direction marks, variation selectors: nothing to see where the base is missing."""


class Advances(dict[str, float]):
    """How far each character of a face goes on, in ems; read from the face when it is first used."""

    def __init__(self, face: TTFFont, others: Fallbacks) -> None:
        self._face, self._others = face, others

    def __missing__(self, char: str) -> float:
        face = self._others.face(ord(char)) or self._face
        self[char] = face.cw[ord(char)] / 1000
        return self[char]


class Codes(dict[str, str]):
    """The code of each character in the subset that is embedded; asking adds it to the subset."""

    def __init__(self, face: TTFFont) -> None:
        self._face = face

    def __missing__(self, char: str) -> str:
        self[char] = f"{self._face.subset.pick(ord(char)):04X}"
        return self[char]


class Shown(dict[int, str]):
    """Characters as they are drawn, by number: themselves, a space, nothing, or a box."""

    def __init__(self, face: TTFFont, others: Fallbacks) -> None:
        self._known, self._others = frozenset(face.cmap), others

    def __missing__(self, number: int) -> str:
        kind = unicodedata.category(chr(number))
        if kind in ("Cc", "Zl", "Zp", "Zs"):
            shown = " "
        elif (number in self._known and kind != "Cf") or self._others.face(number) is not None:
            shown = chr(number)
        else:
            shown = "" if kind in INVISIBLE else MISSING
        self[number] = shown
        return shown


class Typeface:
    """Measures in points with the pack's two faces. Both hold the same characters."""

    def __init__(self, pdf: FPDF) -> None:
        for style, file in FACES.items():
            pdf.add_font(FAMILY, style, FONTS / file)
        self.faces = tuple(_embedded_face(pdf, style) for style in FACES)
        self.others = Fallbacks(pdf)
        self._advance = tuple(Advances(face, self.others) for face in self.faces)
        self._codes = tuple(Codes(face) for face in self.faces)
        self._shown = Shown(self.faces[0], self.others)
        self.clean = lru_cache(8192)(self._clean)
        self.fit = lru_cache(8192)(self._fit)
        self.glyphs = lru_cache(8192)(self._glyphs)

    def _clean(self, text: str) -> str:
        """``text`` on one line, every character of it one that the fonts have."""
        return unicodedata.normalize("NFC", text).translate(self._shown).strip()

    def _glyphs(self, text: str, bold: bool) -> tuple[Glyphs, float]:
        """``text`` clean, as the codes of an embedded face in hexadecimal or as runs of several, and its
        width in ems."""
        text = self.clean(text)
        if all(map(self._is_own, text)):
            codes = "".join(map(self._codes[bold].__getitem__, text))
            return codes, sum(map(self._advance[bold].__getitem__, text))
        runs = tuple(self._run(face, part, bold) for face, part in self.others.segments(text))
        return runs, sum(run.width for run in runs)

    def _is_own(self, char: str) -> bool:
        return ord(char) in self.faces[0].cmap

    def _run(self, face: TTFFont | None, part: str, bold: bool) -> Run:
        if face is not None:
            return shape_text(face, part)
        codes = "".join(map(self._codes[bold].__getitem__, part))
        return Run(None, codes, (), sum(map(self._advance[bold].__getitem__, part)))

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
        lines: list[str] = []
        words = self.clean(text).split()
        while words and len(lines) < most - 1:
            taken = self._words_in_line(words, room, size, bold)
            lines.append(self.fit(" ".join(words[:taken]), room, size, bold))
            words = words[taken:]
        return [*lines, self.fit(" ".join(words), room, size, bold)] if words else lines

    def _words_in_line(self, words: Sequence[str], room: float, size: float, bold: bool) -> int:
        """How many of the words go on one line; at least one."""
        line = words[0]
        for count, word in enumerate(words[1:], 1):
            line = f"{line} {word}"
            if self.width(line, size, bold) > room:
                return count
        return len(words)

    def list_names(self, names: Sequence[str], room: float, size: float) -> str:
        """Names with commas, each short enough to be one of several, as many as ``room`` points hold:
        "Search, Edge CDN and 12 more"."""
        short = [self.fit(name, 110, size) for name in names]
        for count in range(len(short), 0, -1):
            more = f" and {len(short) - count} more" if count < len(short) else ""
            text = ", ".join(short[:count]) + more
            if count == 1 or self.width(text, size) <= room:
                return text
        return ""


def _embedded_face(pdf: FPDF, style: str) -> TTFFont:
    """The pack's own face of a style."""
    face = pdf.fonts[FAMILY + style]
    if not isinstance(face, TTFFont):
        raise TypeError("the pack's font is not embedded")
    return face
