"""How the appendix flows over its sheets: which rows of which domain stand on which. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from exports.pack.paper import style

ROWS_TOP, NOTE = style.TOP + 24, style.BOTTOM - 8
END = NOTE - 4
ROW, HEAD, GAP, NOTHING = 11.4, 44.0, 12.0, 40.0
"""Heights: of a row, of what stands over the first, of what follows the last, of a domain without any."""
LEAST, FEWEST = 6, 4
"""How many rows a domain needs at the foot of a sheet to begin there, and at the head of the next."""
THIN = (END - ROWS_TOP) / 3
"""Less than this on the last sheet looks left over: the sheets before it are filled less."""
TRIES = 24


class Block(NamedTuple):
    """Some rows of a domain, 0 where it has none: the sheet, where they begin, whether the domain has begun
    before."""

    domain: int
    sheet: int
    y: float
    rows: int
    is_continued: bool

    @property
    def bottom(self) -> float:
        """Where the rows end."""
        return self.y + (HEAD + ROW * self.rows if self.rows else NOTHING)


def balanced_blocks(counts: Sequence[int]) -> list[Block]:
    """Blocks of domains with so many rows, on as few sheets as they need. The last sheet is not left with
    a few rows where the others can be filled less, and no domain is parted for that where another way of
    filling them has none parted."""
    flows = [
        _balance_last_sheet(_fill_sheets(counts, END - ROW * shorter)) for shorter in range(TRIES)
    ]
    fewest = _sheets(flows[0])
    return min((flow for flow in flows if _sheets(flow) == fewest), key=_flow_quality)


def _balance_last_sheet(flow: list[Block]) -> list[Block]:
    """As many rows of the sheet before on a thin last one as make it a third, where the domain goes on."""
    if not flow or not flow[-1].is_continued:
        return flow
    *others, before, last = flow
    short = math.ceil((THIN - HEAD) / ROW) - last.rows
    if short <= 0 or before.rows - short < LEAST:
        return flow
    return [
        *others,
        before._replace(rows=before.rows - short),
        last._replace(rows=last.rows + short),
    ]


def _sheets(flow: Sequence[Block]) -> int:
    return flow[-1].sheet if flow else 0


def _flow_quality(flow: Sequence[Block]) -> tuple[bool, int]:
    """Order of what looks better: of equals the first, whose sheets are the fullest, is taken."""
    is_thin = _sheets(flow) > 0 and flow[-1].bottom - ROWS_TOP < THIN
    return is_thin, sum(block.is_continued for block in flow)


def _fill_sheets(counts: Sequence[int], end: float) -> list[Block]:
    """Each sheet filled down to ``end`` before the next one begins. A domain begins on one only where some
    of its rows have room."""
    blocks: list[Block] = []
    sheet, y = 0, ROWS_TOP
    for domain, count in enumerate(counts):
        left, is_continued = count, False
        if not count:
            if y + NOTHING > end:
                sheet, y = sheet + 1, ROWS_TOP
            blocks.append(Block(domain, sheet, y, 0, False))
            y += NOTHING
        while left:
            taken = _rows_that_fit(left, int((end - y - HEAD) / ROW))
            if not taken:
                sheet, y = sheet + 1, ROWS_TOP
                continue
            blocks.append(Block(domain, sheet, y, taken, is_continued))
            y += HEAD + ROW * taken + GAP
            left, is_continued = left - taken, True
    return blocks


def _rows_that_fit(left: int, fits: int) -> int:
    """Rows of those left that a block has where so many fit; 0 where it had a few, or left a few for the
    next sheet. A whole sheet has room for more than both."""
    if left <= fits:
        return left
    taken = min(fits, left - FEWEST)
    return taken if taken >= LEAST else 0
