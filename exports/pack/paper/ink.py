"""Text written as PDF operators, a line at a time: fpdf2's own cells take five times as long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import PDFResourceType

from exports.pack.paper import style
from exports.pack.paper.scripts import Run
from exports.pack.paper.typesetting import Glyphs, Typeface


class TextColumn(NamedTuple):
    """Where cells stand, and their look. ``whole``: too wide a text shrinks instead of being cut."""

    x: float
    w: float
    size: float = style.BODY
    bold: bool = False
    colour: str = style.INK
    align: str = "L"
    whole: bool = False


Cell = tuple[TextColumn, str]
Point = tuple[float, float]


class Ink:
    """The text of a PDF that fpdf2 keeps together: it holds the pages, embeds the fonts' subsets and
    maps their codes back to Unicode; what is written on a page comes from here."""

    def __init__(self, pdf: FPDF, type_: Typeface) -> None:
        self.pdf, self.type = pdf, type_
        self._look = lru_cache(256)(self._style_operators)

    def page(self) -> None:
        """The current page is a fresh one."""
        for face in self.type.faces:
            self.pdf._resource_catalog.add(PDFResourceType.FONT, face.i, self.pdf.page)

    def line(self, baseline: float, cells: Iterable[Cell]) -> None:
        """Cells on one baseline, in reading order; empty ones are left out. Font and colour change
        only between cells that differ, and are as before at the end, which is what fpdf2 expects."""
        glyphs, look = self.type.glyphs, self._look
        y, last, out = f"{style.HEIGHT - baseline:.2f}", "", ["q BT"]
        for column, text in cells:
            x, room, size, bold, colour, align, _ = column
            codes, em = glyphs(text, bold)
            if not codes:
                continue
            wide = em * size
            if wide > room + 0.01:
                codes, wide, size = self._fit_to_column(column, text)
            now = look(size, bold, colour)
            if now is not last:
                out.append(now)
                last = now
            if align != "L":
                x += room - wide if align == "R" else (room - wide) / 2
            out.append(f"1 0 0 1 {x:.2f} {y} Tm{self._show_operators(codes, size, bold)}")
        if len(out) > 1:
            out.append("ET Q")
            self.pdf._out("\n".join(out))

    def _show_operators(self, glyphs: Glyphs, size: float, bold: bool) -> str:
        """The operators that show glyphs; after those of another face the column's is chosen again."""
        if isinstance(glyphs, str):
            return f"<{glyphs}>Tj"
        own = f"/F{self.type.faces[bold].i} {size:.2f} Tf"
        return "".join(
            f"<{run.codes}>Tj" if run.face is None else f"{self._run_operators(run, size)}{own}"
            for run in glyphs
        )

    def _run_operators(self, run: Run, size: float) -> str:
        """The operators that show a run of a face of its own."""
        assert run.face is not None
        self.pdf._resource_catalog.add(PDFResourceType.FONT, run.face.i, self.pdf.page)
        shown = "".join(f" {rise * size:.2f} Ts[{array}]TJ" for rise, array in run.pieces)
        return f"/F{run.face.i} {size:.2f} Tf{shown} 0 Ts "

    def _fit_to_column(self, column: TextColumn, text: str) -> tuple[Glyphs, float, float]:
        """Codes, width and size of a text that is wider than its column."""
        if column.whole:
            codes, em = self.type.glyphs(text, column.bold)
            size = min(column.size, column.w / em)
        else:
            size = column.size
            text = self.type.fit(text, column.w, size, column.bold)
            codes, em = self.type.glyphs(text, column.bold)
        return codes, em * size, size

    def _style_operators(self, size: float, bold: bool, colour: str) -> str:
        """The operators that choose font, size and colour."""
        return f"/F{self.type.faces[bold].i} {size:.2f} Tf {rgb(colour)} rg"

    def rules(
        self, span: tuple[float, float], heights: Iterable[float], colour: str, width: float
    ) -> None:
        """Horizontal strokes in one path."""
        left, right = (f"{x:.2f}" for x in span)
        ys = [f"{style.HEIGHT - height:.2f}" for height in heights]
        path = "\n".join(f"{left} {y} m {right} {y} l" for y in ys)
        self.pdf._out(f"q {width:.2f} w {rgb(colour)} RG\n{path}\nS Q")

    def path(self, points: Sequence[Point], colour: str, width: float, dash: str = "") -> None:
        """A polyline with round ends and corners; ``dash`` are the lengths of a stroke and of a gap."""
        (x, y), *rest = points
        across = "".join(f" {a:.2f} {style.HEIGHT - b:.2f} l" for a, b in rest)
        looks = f"{width:.2f} w {rgb(colour)} RG 1 J 1 j" + (f" [{dash}] 0 d" if dash else "")
        self.pdf._out(f"q {looks} {x:.2f} {style.HEIGHT - y:.2f} m{across} S Q")

    def area(self, points: Sequence[Point], colour: str) -> None:
        """A filled polygon."""
        (x, y), *rest = points
        across = "".join(f" {a:.2f} {style.HEIGHT - b:.2f} l" for a, b in rest)
        self.pdf._out(f"q {rgb(colour)} rg {x:.2f} {style.HEIGHT - y:.2f} m{across} h f Q")

    def box(self, corner: Point, size: Point, colour: str) -> None:
        """A filled rectangle from its upper left corner."""
        (x, y), (w, h) = corner, size
        below = style.HEIGHT - y - h
        self.pdf._out(f"q {rgb(colour)} rg {x:.2f} {below:.2f} {w:.2f} {h:.2f} re f Q")


@lru_cache(64)
def rgb(colour: str) -> str:
    """A colour's three parts, 0 to 1: "#FFFFFF" -> "1 1 1"."""
    return " ".join(f"{int(colour[i : i + 2], 16) / 255:.4g}" for i in (1, 3, 5))
