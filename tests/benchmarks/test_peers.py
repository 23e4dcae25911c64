"""A peer whose answer differs from the floor in any number, row or name is refused, by the column."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from benchmarks.instead.daily import KEYS, Answer, refuse_difference


def answer() -> dict[str, pd.DataFrame]:
    """Two workspaces and the organisation in every part."""
    made = {}
    for part, keys in KEYS.items():
        rows = pd.DataFrame({"workspace_id": [1, 2, None], "number": [0.5, None, 7.0]})
        for key in keys[1:]:
            rows[key] = "SOC2" if key == "framework" else 1
        made[part] = rows
    return made


def changed(part: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Answer:
    """The answer with one part changed."""
    return answer() | {part: change(answer()[part])}


def test_rows_in_another_order_with_other_types_are_the_same():
    shuffled = {
        part: rows.iloc[::-1].assign(workspace_id=[0, 2, 1], number=[7, 0.0, 0.5])
        for part, rows in answer().items()
    }
    refuse_difference("a peer", shuffled, answer())


@pytest.mark.parametrize("part", KEYS)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda rows: rows.assign(number=[0.5, 0.001, 7.0]), "number"),
        (lambda rows: rows.iloc[:2], "2 rows, not 3"),
        (lambda rows: rows.assign(workspace_id=[1, 3, None]), "workspace_id"),
    ],
    ids=["a number", "a row less", "another workspace"],
)
def test_what_differs_is_named(part, change, named):
    with pytest.raises(AssertionError, match=f"a peer, {part}: .*{named}"):
        refuse_difference("a peer", changed(part, change), answer())


def test_another_framework_is_named():
    other = changed("CONTROLS", lambda rows: rows.assign(framework="HIPAA"))
    with pytest.raises(AssertionError, match="framework"):
        refuse_difference("a peer", other, answer())
