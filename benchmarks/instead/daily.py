"""Daily rows of the floor as Parquet files, and the answers that everybody has to give from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import text

from aggregators.vocabulary.period import Period
from benchmarks.instead.floor import (
    CONTROL_LEVELS,
    FLOWS,
    LEVELS,
    QUANTILES_STORED,
    Floor,
    statement,
)

TABLES = ("daily", "control", "duration")
TYPES = {
    "workspace_id": "integer",
    "framework": "varchar",
    "day": "date",
    "kind": "smallint",
    "bucket": "integer",
    "n": "integer",
}
"""Types of columns that are no numbers of a day."""
KEYS = {
    "FIGURES": ("workspace_id", "now"),
    "SERIES": ("workspace_id", "back"),
    "CONTROLS": ("workspace_id", "framework", "back"),
    "WHOLE_QUANTILES": ("workspace_id", "kind", "point"),
    "QUANTILES": ("workspace_id", "kind", "point"),
}
"""Parts of an answer, by the names of their statements in the floor, with what names a row of each. The
organisation's rows have workspace 0."""

Answer = Mapping[str, pd.DataFrame]
"""Rows of each part."""


@dataclass(frozen=True)
class Days:
    """A period as the statements of the floor take it: ordinals of days, and how its points are spaced."""

    period: Period

    @property
    def first(self) -> Any:
        """First day that any point of the two periods' lines counts."""
        before = self.period.previous.start
        return type(before).fromordinal(before.toordinal() - self.period.window)

    @property
    def behind(self) -> int:
        """Points before a point that its trailing window counts."""
        return self.period.window // self.period.step - 1

    @property
    def levels(self) -> list[str]:
        """Columns of which a line shows the value of a day, not a sum of days."""
        stored = (q for q in QUANTILES_STORED if q.endswith(f"_{self.period.window}"))
        return [*LEVELS, *stored]


def export(floor: Floor, folder: Path) -> Sequence[Path]:
    """The tables of the floor as Parquet files, written by DuckDB from PostgreSQL's CSV."""
    import duckdb

    files = [folder / f"{name}.parquet" for name in TABLES]
    for name, file in zip(TABLES, files, strict=True):
        with (folder / f"{name}.csv").open("wb") as written:
            columns = floor.csv(name, written)
        types = {column: TYPES.get(column, "double") for column in columns}
        duckdb.execute(
            f"copy (from read_csv('{written.name}', header = true, columns = {types}))"
            f" to '{file}' (format parquet)"
        )
        Path(written.name).unlink()
    return files


def expected(floor: Floor, period: Period) -> Answer:
    """Answer of the floor itself, which the benchmark of the read holds this program's to."""
    with floor.owner.connect() as connection:
        return {part: pd.read_sql_query(text(statement(part, period)), connection) for part in KEYS}


def refuse_difference(peer: str, answer: Answer, right: Answer) -> None:
    """Raises AssertionError, which names the part and column, unless both answers hold the same numbers."""
    for part, keys in KEYS.items():
        ours, theirs = _sorted(right[part], keys), _sorted(answer[part], keys)
        assert len(ours) == len(theirs), f"{peer}, {part}: {len(theirs)} rows, not {len(ours)}"
        for column in ours.columns:
            if column == "framework":
                same = (ours[column].to_numpy(str) == theirs[column].to_numpy(str)).all()
            else:
                same = np.allclose(_numbers(ours[column]), _numbers(theirs[column]))
            assert same, f"{peer}, {part}: {column}"


def _sorted(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Rows in the order of their keys, the organisation's with workspace 0."""
    made = rows.copy()
    made["workspace_id"] = made["workspace_id"].fillna(0).astype(int)
    for key in ("now", "point", "back"):
        if key in made:
            made[key] = made[key].astype(int)
    return made.sort_values([*keys]).reset_index(drop=True)


def _numbers(column: pd.Series) -> np.ndarray:
    """Numbers of a column, nothing as 0: a sum of nothing is NULL for some and 0 for others."""
    return np.nan_to_num(column.to_numpy(dtype=float, na_value=np.nan))


FLOW_COLUMNS, CONTROL_COLUMNS = [*FLOWS], [*CONTROL_LEVELS]
