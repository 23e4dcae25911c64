"""The paper of the board pack: A4 landscape in points, fonts, colours, watermark and footer."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

FONTS = Path(__file__).parents[1] / "fonts"
FAMILY = "Noto Sans"
WIDTH, HEIGHT = 841.89, 595.28
LEFT, TOP, RIGHT, BOTTOM = 36.0, 30.0, WIDTH - 36.0, 558.0
LEADING = 1.36
"""Line height over font size."""

UNKNOWN, ELLIPSIS = "\N{REPLACEMENT CHARACTER}", "…"
INVISIBLE = {"Cc", "Cf", "Mn", "Me"}
"""Categories of characters that show nothing by themselves: dropped when the font lacks them."""

Colour = tuple[int, int, int]


def rgb(code: str) -> Colour:
    """ "#0B5CAD" -> (11, 92, 173)."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


TEXT, MUTED, ACCENT = rgb("#16202B"), rgb("#4B5866"), rgb("#0B5CAD")
GOOD, WATCH, BAD, NO_DATA = rgb("#1B6B74"), rgb("#946200"), rgb("#9E0B3A"), rgb("#5B6673")
WATCH_TINT, PAPER, PAGE = rgb("#FDF0D5"), rgb("#FFFFFF"), rgb("#F4F6F8")
RULE, BEFORE, BAR = rgb("#DCE1E6"), rgb("#A3AFBB"), rgb("#9DBEDE")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the page, in points from the top left."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.h


@dataclass(frozen=True, slots=True)
class Stamp:
    """What marks every page: who asked, when, and which export it is."""

    requested_by: str
    exported_at: datetime
    export_id: str

    @property
    def instant(self) -> str:
        """The export instant, ISO 8601 to the second with its offset."""
        return self.exported_at.isoformat(timespec="seconds")


class Sheet(FPDF):
    """An FPDF that writes cleaned, measured text and stamps every page.

    ``numbered`` is how many pages follow the cover, the N of "page n of N".
    """

    def __init__(self, stamp: Stamp, numbered: int) -> None:
        super().__init__("landscape", "pt", "A4", enforce_compliance="PDFA_2U")
        self.stamp, self.numbered = stamp, numbered
        self.str_alias_nb_pages = ""  # a workspace may be called "{nb}"
        self.add_font(FAMILY, "", FONTS / "NotoSans-Regular.ttf")
        self.add_font(FAMILY, "B", FONTS / "NotoSans-Bold.ttf")
        self.set_margins(LEFT, TOP, WIDTH - RIGHT)
        self.set_auto_page_break(False)
        self.c_margin = 0.0
        face = self.fonts[FAMILY.lower()]
        self.known = frozenset(face.cmap if isinstance(face, TTFFont) else ())

    def footer(self) -> None:
        """The watermark, over everything, and the line at the foot of the page."""
        self._watermark()
        y, n = 571.0, self.page - 1
        self.rule(LEFT, y - 5, RIGHT)
        who = f"{self.stamp.requested_by} · {self.stamp.instant} · export {self.stamp.export_id}"
        self.say(LEFT, y, RIGHT - LEFT - 90, who, 7.5, colour=MUTED)
        if n:
            text = f"page {n} of {self.numbered}"
            self.say(RIGHT - 90, y, 90, text, 7.5, colour=MUTED, align="R")

    def _watermark(self) -> None:
        with (
            self.local_context(fill_opacity=0.12),
            self.rotation(32, WIDTH / 2, HEIGHT / 2),
        ):
            for line, (text, size) in enumerate(
                ((self.stamp.requested_by, 52.0), (self.stamp.instant, 34.0))
            ):
                width = self.width(text, size, bold=True)
                size *= min(1.0, 720 / width) if width else 1.0
                y = HEIGHT / 2 + (-66, 10)[line]
                self.say(WIDTH / 2 - 400, y, 800, text, size, bold=True, colour=MUTED, align="C")

    def clean(self, text: str) -> str:
        """The text with every character that the font lacks replaced, in one line."""
        return _clean(text, self.known)

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """The width of a text in points."""
        self._font(size, bold)
        return float(self.get_string_width(self.clean(text)))

    def fit(self, text: str, width: float, size: float, *, bold: bool = False) -> str:
        """The cleaned text, shortened with an ellipsis when it is wider than ``width`` points."""
        text = self.clean(text)
        if self.width(text, size, bold=bold) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.width(text[:middle].rstrip() + ELLIPSIS, size, bold=bold) <= width
            low, high = (middle, high) if fits else (low, middle - 1)
        return text[:low].rstrip() + ELLIPSIS

    def say(
        self,
        x: float,
        y: float,
        w: float,
        text: str,
        size: float = 9,
        *,
        bold: bool = False,
        colour: Colour = TEXT,
        align: str = "L",
    ) -> float:
        """One line of text in a cell whose top is ``y``; returns the y below it."""
        shown = self.fit(text, w, size, bold=bold)
        self.set_text_color(*colour)
        self.set_xy(x, y)
        self.cell(w, size * LEADING, shown, align=align, new_x=XPos.RIGHT, new_y=YPos.TOP)
        return y + size * LEADING

    def paragraph(
        self,
        x: float,
        y: float,
        w: float,
        text: str,
        size: float = 9,
        *,
        bold: bool = False,
        colour: Colour = TEXT,
        lines: int = 3,
    ) -> float:
        """A text broken into at most ``lines`` lines, the last with an ellipsis; the y below it."""
        for line in self.broken(text, w, size, bold=bold, lines=lines):
            y = self.say(x, y, w, line, size, bold=bold, colour=colour)
        return y

    def broken(
        self, text: str, w: float, size: float, *, bold: bool = False, lines: int = 3
    ) -> list[str]:
        """The lines of a text at a width in points, at most ``lines``: the rest joins the last."""
        found = [""]
        for word in self.clean(text).split():
            longer = f"{found[-1]} {word}".strip()
            full = found[-1] and self.width(longer, size, bold=bold) > w
            if full and len(found) < lines:
                found.append(word)
            else:
                found[-1] = longer
        return found

    def rule(self, x: float, y: float, right: float, colour: Colour = RULE) -> None:
        """A hairline."""
        self.set_line_width(0.6)
        self.set_draw_color(*colour)
        self.line(x, y, right, y)

    def block(
        self, box: Box, fill: Colour, border: Colour | None = None, radius: float = 0
    ) -> None:
        """A filled rectangle, with round corners when ``radius`` is given."""
        self.set_fill_color(*fill)
        self.set_draw_color(*(border or fill))
        self.set_line_width(0.7)
        style = "DF" if border else "F"
        self.rect(box.x, box.y, box.w, box.h, style, round_corners=radius > 0, corner_radius=radius)

    def _font(self, size: float, bold: bool) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)


@lru_cache(8192)
def _clean(text: str, known: frozenset[int]) -> str:
    found = []
    for sign in unicodedata.normalize("NFC", text):
        if sign.isspace():
            found.append(" ")
        elif ord(sign) in known and unicodedata.category(sign) not in ("Cc", "Cf"):
            found.append(sign)
        elif unicodedata.category(sign) not in INVISIBLE:
            found.append(UNKNOWN)
    return "".join(found)
