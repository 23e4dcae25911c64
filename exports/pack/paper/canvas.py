"""The sheet of paper: fpdf2 in points, text through ink, every page stamped and numbered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fpdf import FPDF

from aggregators import words
from aggregators.pooling.figures import Figure, Tone
from aggregators.vocabulary.measure import Status
from exports.pack.paper import metadata, style
from exports.pack.paper.ink import Cell, Ink, Point, TextColumn
from exports.pack.paper.style import Box
from exports.pack.paper.typesetting import Typeface

OPACITY, LONGEST = 0.12, 480.0
"""Of the watermark; a line of that many points lies whole on the page at each of its places."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The person who took this copy, and when: on every page, so that a leaked one can be traced."""

    requested_by: str
    exported_at: datetime
    export_id: str

    @property
    def instant(self) -> str:
        """The export instant with its zone: "2026-11-23 09:31:02 UTC", "… +01:00" elsewhere."""
        made_at = self.exported_at.isoformat(" ", "seconds")
        return f"{made_at[:19]} {'UTC' if made_at[19:] == '+00:00' else made_at[19:]}"


class Canvas:
    """A pack being drawn. Distances are points from the upper left corner of the page.

    The cover is the first page and carries no number; the pages after it count from 1.
    """

    def __init__(self, stamp: Stamp) -> None:
        self.stamp = stamp
        self.pdf = FPDF("landscape", "pt", "A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0
        # A workspace may be called "{nb}": nothing is substituted, the page count is known before.
        self.pdf.alias_nb_pages(None)  # type: ignore[arg-type]
        self.type = Typeface(self.pdf)
        self.ink = Ink(self.pdf, self.type)

    def describe(self, title: str, subject: str, author: str) -> None:
        """The document's metadata; its keywords hold the export id."""
        clean, stamp = self.type.clean, self.stamp
        metadata.describe(
            self.pdf,
            title=clean(title),
            subject=clean(subject),
            author=clean(author),
            keywords=clean(f"board pack, export {stamp.export_id}"),
            at=stamp.exported_at,
        )

    def page(self, section: str | None = None) -> None:
        """A new page; with ``section`` the outline gets an entry that leads to its top."""
        first_numbered = self.pdf.page == 1
        self.pdf.add_page(
            label_style="D" if first_numbered else None, label_start=1 if first_numbered else None
        )
        self.ink.page()
        if section:
            self.pdf.set_xy(0, 0)
            self.pdf.start_section(self.type.clean(section))

    def finish(self) -> bytes:
        """The file. Only now it is known how many pages there are, and what lies under the mark. What
        is added to a page that was left must rely on no state of it: ink does not."""
        for number in range(1, self.pdf.pages_count + 1):
            self.pdf.page = number
            self._footer()
            self._draw_beneath(self._watermark)
        return bytes(self.pdf.output())

    def _footer(self) -> None:
        y, half, number = style.HEIGHT - 32, (style.RIGHT - style.LEFT) / 2, self.pdf.page - 1
        self.rules([y - 5], style.RULE, 0.4)
        stamp = self.stamp
        left = f"{stamp.requested_by} · exported {stamp.instant} · export {stamp.export_id}"
        self.text(Box(style.LEFT, y, half * 1.7, 10), left, style.TINY, colour=style.MUTED)
        if number:
            text = f"page {number} of {self.pdf.pages_count - 1}"
            line_box = Box(style.RIGHT - half * 0.3, y, half * 0.3, 10)
            self.text(line_box, text, style.TINY, colour=style.MUTED, align="R")

    def _draw_beneath(self, draw: Callable[[], None]) -> None:
        """Has something lie under all that is on the page."""
        contents = self.pdf.pages[self.pdf.page].contents
        assert isinstance(contents, bytearray)
        above = bytes(contents)
        contents.clear()
        draw()
        contents.extend(above)

    def _watermark(self) -> None:
        """Three lines along the diagonal: a crop still shows who and when. It lies behind the text."""
        who, when = self.type.clean(self.stamp.requested_by), self.stamp.instant
        one = f"{who}  ·  {when}"
        lines = (one,) if self.type.width(one, 12) <= LONGEST else (who, when)
        size = min(18.0, min(18.0 * LONGEST / self.type.width(line, 18.0) for line in lines))
        angle = math.degrees(math.atan(style.HEIGHT / style.WIDTH))
        with self.pdf.local_context(fill_opacity=OPACITY):
            for share in (0.58, 1.0, 1.42):
                x, y = style.WIDTH / 2 * share, style.HEIGHT / 2 * share
                with self.pdf.rotation(angle, x, y):
                    for i, line in enumerate(lines):
                        line_box = Box(x - LONGEST / 2, y - 15 + i * size * 1.2, LONGEST, 30)
                        self.text(line_box, line, size, align="C")

    # Text

    def text(
        self,
        box: Box,
        text: str,
        size: float = style.BODY,
        *,
        bold: bool = False,
        colour: str = style.INK,
        align: str = "L",
        whole: bool = False,
    ) -> None:
        """Draws a line in a box, vertically centred; too wide a one is cut with an ellipsis, or shrinks
        where it shall stay ``whole``."""
        column = TextColumn(box.x, box.w, size, bold, colour, align, whole)
        self.ink.line(baseline(box.y, box.h, size), ((column, text),))

    def row(self, top: float, high: float, size: float, cells: Iterable[Cell]) -> None:
        """The cells of a row, on the baseline that text of ``size`` has in the middle of it."""
        self.ink.line(baseline(top, high, size), cells)

    def paragraph(
        self,
        box: Box,
        text: str,
        size: float = style.SMALL,
        *,
        bold: bool = False,
        colour: str = style.INK,
        leading: float = 1.35,
    ) -> float:
        """Lines from the top of a box, no more than fit; returns the y below them."""
        step = size * leading
        lines = self.type.lines(text, box.w, size, bold, max(1, int((box.h + 0.5) / step)))
        for i, line in enumerate(lines):
            line_box = Box(box.x, box.y + i * step, box.w, step)
            self.text(line_box, line, size, bold=bold, colour=colour)
        return box.y + len(lines) * step

    # Shapes

    def line(self, start: Point, end: Point, colour: str, width: float = 0.6) -> None:
        """A straight stroke."""
        self.pdf.set_draw_color(colour)
        self.pdf.set_line_width(width)
        self.pdf.line(*start, *end)

    def rules(self, heights: Iterable[float], colour: str, width: float) -> None:
        """Strokes from margin to margin."""
        self.ink.rules((style.LEFT, style.RIGHT), heights, colour, width)

    def dashes(self, start: Point, end: Point, colour: str, width: float = 0.6) -> None:
        """A dashed stroke."""
        self.pdf.set_dash_pattern(dash=3, gap=2)
        self.line(start, end, colour, width)
        self.pdf.set_dash_pattern()

    def path(self, points: Sequence[Point], colour: str, width: float) -> None:
        """A polyline; a single point is a dot."""
        if len(points) == 1:
            self.dot(points[0], width, colour)
            return
        self.ink.path(points, colour, width)

    def dots(self, start: Point, end: Point, colour: str, width: float = 0.9) -> None:
        """A dotted stroke."""
        self.ink.path((start, end), colour, width, "0 2.2")

    def bar(self, box: Box, colour: str) -> None:
        """A filled rectangle with sharp corners, which costs a tenth of ``fill``."""
        self.ink.box((box.x, box.y), (box.w, box.h), colour)

    def dot(self, at: Point, radius: float, colour: str) -> None:
        """A filled circle."""
        self.pdf.set_fill_color(colour)
        self.pdf.circle(*at, radius, style="F")

    def fill(self, box: Box, colour: str, corner: float = 0, border: str | None = None) -> None:
        """A filled rectangle, its corners rounded, its border drawn when it has one."""
        self.pdf.set_fill_color(colour)
        if border:
            self.pdf.set_draw_color(border)
            self.pdf.set_line_width(0.6)
        kind = "DF" if border else "F"
        self.pdf.rect(
            box.x, box.y, box.w, box.h, kind, round_corners=corner > 0, corner_radius=corner
        )

    def mark(self, status: Status, at: Point, size: float = 3.2) -> None:
        """The shape of a status: disc good, diamond watch, square bad, ring without data."""
        (x, y), colour = at, style.COLOUR[status]
        self.pdf.set_fill_color(colour)
        match status:
            case Status.GOOD:
                self.dot(at, size, colour)
            case Status.WATCH:
                far = size * 1.3
                corners = ((x, y - far), (x + far, y), (x, y + far), (x - far, y))
                self.pdf.polygon(corners, style="F")
            case Status.BAD:
                self.fill(Box(x - size, y - size, size * 2, size * 2), colour)
            case _:
                self.pdf.set_draw_color(colour)
                self.pdf.set_line_width(0.9)
                self.pdf.circle(x, y, size * 0.9, style="D")

    # Figures

    def status(self, box: Box, status: Status, size: float = style.BODY) -> None:
        """A status as its shape and its words."""
        middle = box.y + box.h / 2
        self.mark(status, (box.x + 4, middle), size * 0.37)
        line_box = Box(box.x + 12, box.y, box.w - 12, box.h)
        self.text(line_box, words.STANDING[status], size, bold=True, colour=style.COLOUR[status])

    def pill(
        self, box: Box, figure: Figure, size: float = style.SMALL, alarm: bool = False
    ) -> None:
        """The change: filled when it is worse, or an ``alarm``, outlined when it is likely worse, plain
        otherwise."""
        text = " ".join(filter(None, (words.arrow(figure), words.change(figure))))
        loud = alarm or (
            words.has_visible_change(figure) and figure.tone in (Tone.WORSE, Tone.LIKELY_WORSE)
        )
        text = self.type.fit(text, box.w - (12 if loud else 0), size, loud)
        if not loud:
            is_better = words.has_visible_change(figure) and figure.tone is Tone.BETTER
            colour = style.GOOD if is_better else style.MUTED
            self.text(box, text, size, bold=is_better, colour=colour)
            return
        solid = alarm or figure.tone is Tone.WORSE
        around = Box(box.x, box.y, self.type.width(text, size, True) + 12, box.h)
        self.fill(around, *((style.BAD, 3) if solid else (style.WHITE, 3, style.BAD)))
        ink = style.WHITE if solid else style.BAD
        self.text(Box(box.x + 6, box.y, box.w, box.h), text, size, bold=True, colour=ink)


def baseline(top: float, high: float, size: float) -> float:
    """Where text of a size stands in a row, so that its figures lie in the middle."""
    return top + 0.5 * high + 0.3 * size
