"""Drawing the board pack against a plain reportlab rendering of the same cells, in one run.

Alone: ``python -m benchmarks.pack``.
"""

from __future__ import annotations

import io
import math
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pypdf import PdfReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas as Plain

from benchmarks.report.table import Row
from exports import board_pdf
from exports.pack import appendix
from exports.pack.paper import ink
from exports.pack.paper.ink import Ink
from tests.samples import dashboard

SIZES = (12, 200, 1_000)
TARGET, JUDGED_FROM = 0.8, 200
GROWTH = 1.2
"""The most that a row of the appendix may cost from 200 to 1,000 workspaces, of one up to 200."""
ROUNDS = 5
FONTS = Path(board_pdf.__file__).parent / "fonts"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PACKS = {size: dashboard(size) for size in SIZES}


class Cell(NamedTuple):
    """A text of the pack: its page, its place, its look."""

    page: int
    x: float
    y: float
    wide: float
    size: float
    bold: bool
    align: str
    text: str


class Drawn(NamedTuple):
    """A size's cells, milliseconds of ours and of reportlab's (the least of a few), and the megabytes
    that drawing allocates at its peak."""

    workspaces: int
    cells: int
    ours: float
    theirs: float
    peak: float


def draw(size: int) -> bytes:
    """The pack of so many workspaces."""
    return board_pdf.draw(
        PACKS[size], requested_by="alice@demo.example", exported_at=AT, export_id="benchmark"
    )


def cells(size: int) -> list[Cell]:
    """Every text that the pack draws, page by page. Raises RuntimeError when the file shows another
    number of texts than was noted."""
    drawn_cells: list[Cell] = []
    line = Ink.line

    def note(self: Ink, baseline: float, given: Iterable[ink.Cell]) -> None:
        listed = list(given)
        for column, text in listed:
            if shown := self.type.clean(text):
                x, wide, size, bold, _, align, whole = column
                size = min(size, wide / self.type.width(shown, 1, bold)) if whole else size
                drawn_cells.append(Cell(self.pdf.page, x, baseline, wide, size, bold, align, text))
        line(self, baseline, listed)

    Ink.line = note  # type: ignore[method-assign,assignment]
    try:
        file = draw(size)
    finally:
        Ink.line = line  # type: ignore[method-assign]
    shown = sum(
        page.get_contents().get_data().count(b"Tj") for page in PdfReader(io.BytesIO(file)).pages
    )
    if shown != len(drawn_cells):
        raise RuntimeError(f"{shown} texts in the file, {len(drawn_cells)} noted")
    return sorted(drawn_cells, key=lambda cell: cell.page)


def draw_plainly(drawn_cells: list[Cell]) -> bytes:
    """Draw the cells with reportlab: each cut to its width and placed, nothing else."""
    out = io.BytesIO()
    canvas = Plain(out, pagesize=(842, 595), pageCompression=1)
    page = drawn_cells[0].page
    for cell in drawn_cells:
        if cell.page != page:
            canvas.showPage()
            page = cell.page
        font = "bold" if cell.bold else "plain"
        text = cell.text
        while text and pdfmetrics.stringWidth(text, font, cell.size) > cell.wide + 0.01:
            text = text[:-1]
        canvas.setFont(font, cell.size)
        if cell.align == "R":
            canvas.drawRightString(cell.x + cell.wide, 595 - cell.y, text)
        else:
            canvas.drawString(cell.x, 595 - cell.y, text)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def time_once(work: Callable[[], object]) -> float:
    """Milliseconds of the processor in one run: both only compute, and others may use the machine."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def peak(size: int) -> float:
    """Megabytes that drawing holds at most, the dashboard not counted."""
    tracemalloc.start()
    try:
        draw(size)
        return round(tracemalloc.get_traced_memory()[1] / 2**20, 1)
    finally:
        tracemalloc.stop()


def measure() -> list[Drawn]:
    """Every size, smallest first. Ours and theirs, small and large take turns, so that all of them meet
    the same machine."""
    regular, bold = sorted(FONTS.glob("*.ttf"), key=lambda p: ("Bold" in p.name, p.name))[:2]
    pdfmetrics.registerFont(TTFont("plain", str(regular)))
    pdfmetrics.registerFont(TTFont("bold", str(bold)))
    cells_by_size = {size: cells(size) for size in SIZES}
    best = dict.fromkeys(SIZES, (math.inf, math.inf))
    for size in SIZES * ROUNDS:
        ours, theirs = best[size]
        best[size] = (
            min(ours, time_once(lambda: draw(size))),
            min(theirs, time_once(lambda: draw_plainly(cells_by_size[size]))),
        )
    return [Drawn(size, len(cells_by_size[size]), *best[size], peak(size)) for size in SIZES]


def growth(table: list[Drawn], of: str = "ours") -> float:
    """Cost of a row of the appendix between the two larger sizes over its cost between the two smaller
    ones: 1 is linear, whatever a pack costs that has none. ``of`` is "ours" or "peak"."""
    rows = {
        size: sum(len(list(appendix.rows(s))) for s in PACKS[size].scorecards) for size in SIZES
    }
    before, after = (
        (getattr(b, of) - getattr(a, of)) / (rows[b.workspaces] - rows[a.workspaces])
        for a, b in pairwise(table)
    )
    return after / before


def measure_rows(_: object = None) -> list[Row]:
    """Measure the packs and give them as rows of the table."""
    part, table = "drawing the pack", measure()
    table_rows = [
        Row(
            part,
            f"{d.workspaces:,} workspaces, {d.cells:,} cells, peak {d.peak} MB",
            d.ours,
            d.theirs,
            "ms of processor",
            TARGET if d.workspaces >= JUDGED_FROM else None,
            "reportlab",
        )
        for d in table
    ]
    for of, what in (("ours", "time"), ("peak", "memory")):
        grown = growth(table, of)
        table_rows.append(
            Row(
                part,
                f"{what} of a row, {SIZES[1]:,} to {SIZES[2]:,}",
                grown,
                1,
                "",
                GROWTH,
                "linear",
            )
        )
    return table_rows


def main() -> None:
    """Measures, prints, judges."""
    table = measure()
    print(f"{'workspaces':>10}{'cells':>10}{'ours':>10}{'reportlab':>11}{'ratio':>8}{'peak MB':>9}")
    for drawn in table:
        size, count, ours, theirs, peak_mb = drawn
        print(
            f"{size:>10,}{count:>10,}{ours:>10.0f}{theirs:>11.0f}{ours / theirs:>8.2f}{peak_mb:>9}"
        )
    grown = {"time": growth(table), "memory": growth(table, "peak")}
    for what, share in grown.items():
        print(f"{what} of a row, {SIZES[1]:,} to {SIZES[2]:,} workspaces: {share:.2f} of linear")
    judged = [d for d in table if d.workspaces >= JUDGED_FROM]
    if max(grown.values()) > GROWTH or any(d.ours > TARGET * d.theirs for d in judged):
        sys.exit(f"missed: at most {TARGET} of reportlab and {GROWTH} of linear")


if __name__ == "__main__":
    main()
