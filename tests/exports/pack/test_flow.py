"""The appendix over its sheets: nothing is lost or cut, and no last sheet looks left over."""

from __future__ import annotations

from itertools import groupby, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exports.pack.flow import END, FEWEST, ROWS_TOP, THIN, balanced_blocks

COUNTS = st.lists(st.integers(0, 400), min_size=1, max_size=7)


@given(COUNTS)
@example([0, 25, 15, 9, 5])
def test_every_row_has_its_place_on_one_sheet(counts):
    blocks = balanced_blocks(counts)
    for domain, count in enumerate(counts):
        own = [block for block in blocks if block.domain == domain]
        assert sum(block.rows for block in own) == count
        assert [block.is_continued for block in own] == [False] + [True] * (len(own) - 1)
        assert all(block.rows >= min(FEWEST, count) for block in own)
    assert [block.sheet for block in blocks] == sorted(block.sheet for block in blocks)
    for _, on_one in groupby(blocks, lambda block: block.sheet):
        listed = list(on_one)
        assert listed[0].y == ROWS_TOP
        assert all(one.bottom < other.y + 0.01 for one, other in pairwise(listed))
        assert listed[-1].bottom <= END


@pytest.mark.parametrize("workspaces", [*range(1, 60), 200, 1000])
@pytest.mark.parametrize("frameworks", [1, 2, 3])
def test_the_last_sheet_is_no_rest(workspaces, frameworks):
    """Seen: twelve workspaces ended on a sheet of three rows."""
    rows = workspaces + 1
    last = balanced_blocks([rows, rows, rows, rows * frameworks, rows, rows])[-1]
    assert last.sheet == 0 or last.bottom - ROWS_TOP >= THIN
