"""Board packs of a sample dashboard, as their pages read."""

from __future__ import annotations

import io
import subprocess
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree import ElementTree

from pypdf import PdfReader

from aggregators.pooling.dashboard import Dashboard
from exports.board_pdf import draw

AT = datetime(2026, 11, 23, 9, 31, 2, tzinfo=UTC)

SIDES = ("xMin", "yMin", "xMax", "yMax")
LEADING = 0.24
"""Share of a word's box above and below its letters."""
BY, EXPORT = "anna.schmidt@northwind.example", "exp-7F3A21"


def pack(dashboard: Dashboard, **changes) -> PdfReader:
    arguments = {"requested_by": BY, "exported_at": AT, "export_id": EXPORT} | changes
    return PdfReader(io.BytesIO(draw(dashboard, **arguments)))


def flat(text: str) -> str:
    return " ".join(text.split())


def texts(reader: PdfReader) -> list[str]:
    return [flat(page.extract_text()) for page in reader.pages]


class Word(NamedTuple):
    """A word on a page and the box that it fills, from the upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Word) -> bool:
        """Whether the letters of the two lie on each other."""
        across = min(self.right, other.right) - max(self.left, other.left)
        (top, bottom), (above, below) = self.letters, other.letters
        return across > 0.5 and min(bottom, below) - max(top, above) > 0.5

    @property
    def letters(self) -> tuple[float, float]:
        """Top and bottom of the letters: a box has room for accents and descenders, which lines share."""
        spare = LEADING * (self.bottom - self.top)
        return self.top + spare, self.bottom - spare


def words_of(file: bytes, pages: int = 9) -> list[list[Word]]:
    """The words of the first pages, the watermark left out."""
    command = ["pdftotext", "-bbox", "-nodiag", "-l", str(pages), "-", "-"]
    told = subprocess.run(command, input=file, capture_output=True, check=True).stdout
    name = "{http://www.w3.org/1999/xhtml}"
    return [
        [
            Word(word.text or "", *(float(word.get(side, 0)) for side in SIDES))
            for word in page.iter(f"{name}word")
        ]
        for page in ElementTree.fromstring(told).iter(f"{name}page")
    ]


def collisions(file: bytes) -> list[tuple[int, str, str]]:
    """Words that lie on each other, with the page they are on."""
    return [
        (number, one.text, other.text)
        for number, page in enumerate(words_of(file))
        for one, other in _near(page)
        if one.meets(other)
    ]


def _near(page: list[Word]) -> Iterator[tuple[Word, Word]]:
    """Pairs of words of which one begins above the other's end."""
    ordered = sorted(page, key=lambda word: word.top)
    for number, one in enumerate(ordered):
        end = bisect_left(ordered, one.bottom, number + 1, key=lambda word: word.top)
        yield from ((one, other) for other in ordered[number + 1 : end])
