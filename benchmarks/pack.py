"""Drawing the board pack against a plain reportlab rendering of the same cells, in one run."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas as Plain

from exports import board_pdf
from exports.pack import style
from exports.pack.canvas import Canvas
from exports.pack.style import Box
from tests.samples import dashboard

SIZES = (12, 200, 1_000)
TARGET, JUDGED_FROM = 0.8, 200
FONTS = Path(board_pdf.__file__).parent / "fonts"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


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


def draw(size: int) -> bytes:
    """The pack of so many workspaces."""
    return board_pdf.draw(
        PACKS[size], requested_by="alice@demo.example", exported_at=AT, export_id="benchmark"
    )


PACKS = {size: dashboard(size) for size in SIZES}


def cells(size: int) -> list[Cell]:
    """Every text that the pack draws."""
    found: list[Cell] = []
    text, page = Canvas.text, Canvas.page
    pages = 0

    def count(self: Canvas, *given: object, **more: object) -> None:
        nonlocal pages
        pages += 1
        page(self, *given, **more)  # type: ignore[arg-type]

    def note(self: Canvas, box: Box, said: str, size: float = style.BODY, **look: object) -> None:
        bold, align = bool(look.get("bold")), str(look.get("align", "L"))
        found.append(Cell(pages, box.x, box.y, box.w, size, bold, align, said))
        text(self, box, said, size, **look)  # type: ignore[arg-type]

    Canvas.text, Canvas.page = note, count  # type: ignore[method-assign,assignment]
    try:
        draw(size)
    finally:
        Canvas.text, Canvas.page = text, page  # type: ignore[method-assign]
    return found


def plainly(found: list[Cell]) -> bytes:
    """The same cells with reportlab: each cut to its width and placed, nothing else."""
    out = io.BytesIO()
    canvas = Plain(out, pagesize=(842, 595), pageCompression=1)
    page = found[0].page
    for cell in found:
        if cell.page != page:
            canvas.showPage()
            page = cell.page
        font = "bold" if cell.bold else "plain"
        text = cell.text
        while text and pdfmetrics.stringWidth(text, font, cell.size) > cell.wide:
            text = text[:-1]
        canvas.setFont(font, cell.size)
        if cell.align == "R":
            canvas.drawRightString(cell.x + cell.wide, 595 - cell.y, text)
        else:
            canvas.drawString(cell.x, 595 - cell.y, text)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def once(work: Callable[[], object]) -> float:
    """Milliseconds of one run."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def measure() -> list[tuple[int, int, float, float, int]]:
    """Workspaces, cells, milliseconds of ours and of reportlab's (the better of three), peak MB."""
    regular, bold = sorted(FONTS.glob("*.ttf"), key=lambda p: ("Bold" in p.name, p.name))[:2]
    pdfmetrics.registerFont(TTFont("plain", str(regular)))
    pdfmetrics.registerFont(TTFont("bold", str(bold)))
    table = []
    for size in SIZES:
        found = cells(size)
        ours = min(once(lambda: draw(size)) for _ in range(3))
        theirs = min(once(lambda: plainly(found)) for _ in range(3))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        table.append((size, len(found), ours, theirs, peak))
    return table
