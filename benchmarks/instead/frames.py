"""Data frames that answer what the statements of the floor do: Polars, lazily, and pandas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import polars as pl
from sqlalchemy import Engine, text

from aggregators.vocabulary.period import Period
from benchmarks.instead.daily import CONTROL_COLUMNS, FLOW_COLUMNS, Answer, Days
from benchmarks.instead.floor import LEVELS

ORGANISATION = pl.lit(0, pl.Int64).alias("workspace_id")
WORKSPACE = pl.col("workspace_id").cast(pl.Int64)
PICKS = (("p50", 0.5), ("p90", 0.9))


class Polars:
    """Polars over the Parquet files, lazily: each part is planned whole and read once."""

    name = "Polars over Parquet"

    def __init__(self, files: Sequence[Path]) -> None:
        daily, control, duration = (pl.scan_parquet(file) for file in files)
        self._daily = daily.with_columns(WORKSPACE)
        self._control, self._duration = control, duration.with_columns(WORKSPACE)

    def answer(self, period: Period) -> Answer:
        """Every part, as data frames of pandas."""
        days = Days(period)
        parts = {
            "FIGURES": self._figures(days),
            "SERIES": self._series(days),
            "CONTROLS": self._controls(days),
            "WHOLE_QUANTILES": self._whole_quantiles(days),
            "QUANTILES": self._quantiles(days),
        }
        made = pl.collect_all([*parts.values()])
        return {name: frame.to_pandas() for name, frame in zip(parts, made, strict=True)}

    def _figures(self, days: Days) -> pl.LazyFrame:
        period, day = days.period, pl.col("day")
        ends = day.is_in([period.end, period.previous.end])
        rows = self._daily.filter(day.is_between(period.previous.start, period.end)).with_columns(
            (day >= period.start).alias("now")
        )
        sums = [pl.len().alias("days"), *(pl.sum(f) for f in FLOW_COLUMNS)]
        levels = [pl.col(c).filter(ends).max() for c in LEVELS]
        return _with_organisation(rows, ["now"], [*sums, *levels])

    def _series(self, days: Days) -> pl.LazyFrame:
        period, day = days.period, pl.col("day")
        since = (pl.lit(period.end) - day).dt.total_days()
        rows = self._daily.filter(day.is_between(days.first, period.end)).with_columns(
            (since // period.step).alias("back"), (since % period.step == 0).alias("last")
        )
        sums = [pl.len().alias("days"), *(pl.sum(f) for f in FLOW_COLUMNS)]
        levels = [pl.col(c).filter(pl.col("last")).max() for c in days.levels]
        steps = _with_organisation(rows, ["back"], [*sums, *levels])
        steps = steps.with_columns((-pl.col("back")).alias("at")).sort("workspace_id", "at")
        trailing = [pl.sum(c) for c in ("days", *FLOW_COLUMNS)]
        own = [pl.last(c) for c in ("back", *days.levels)]
        window = f"{days.behind + 1}i"
        return steps.rolling("at", period=window, group_by="workspace_id").agg(*trailing, *own)

    def _controls(self, days: Days) -> pl.LazyFrame:
        period, day = days.period, pl.col("day")
        since = (pl.lit(period.end) - day).dt.total_days()
        return self._control.filter(
            day.is_between(period.previous.start, period.end), since % period.step == 0
        ).select(
            "workspace_id", "framework", (since // period.step).alias("back"), *CONTROL_COLUMNS
        )

    def _whole_quantiles(self, days: Days) -> pl.LazyFrame:
        period, day = days.period, pl.col("day")
        rows = self._duration.filter(
            day.is_between(period.previous.start, period.end)
        ).with_columns((day >= period.start).alias("point"))
        return _picked(_with_organisation(rows, ["kind", "point", "bucket"], [pl.sum("n")]))

    def _quantiles(self, days: Days) -> pl.LazyFrame:
        period, day = days.period, pl.col("day")
        back = ((pl.lit(period.end) - day).dt.total_days() // period.step).alias("back")
        entries = (
            self._duration.filter(day.is_between(days.first, period.end))
            .group_by("kind", "bucket", back)
            .agg(pl.sum("n"))
        )
        spread = entries.join(pl.LazyFrame({"behind": range(days.behind + 1)}), how="cross")
        point = (pl.col("back") - pl.col("behind")).alias("point")
        return _picked(spread.group_by(ORGANISATION, "kind", point, "bucket").agg(pl.sum("n")))


def _with_organisation(
    rows: pl.LazyFrame, keys: Sequence[str], made: Sequence[pl.Expr]
) -> pl.LazyFrame:
    """Groups of each workspace, and of all of them."""
    each = rows.group_by("workspace_id", *keys).agg(made)
    return pl.concat([each, rows.group_by(ORGANISATION, *keys).agg(made)])


def _picked(spread: pl.LazyFrame) -> pl.LazyFrame:
    """Buckets of the quantiles of each workspace, kind and point."""
    groups, n = ["workspace_id", "kind", "point"], pl.col("n").cast(pl.Int64)
    running = spread.sort("bucket").with_columns(
        n.cum_sum().over(groups).alias("below"), n.sum().over(groups).alias("total")
    )
    picks = [
        pl.col("bucket")
        .filter(pl.col("below") > (q * (pl.col("total") - 1)).floor())
        .min()
        .alias(p)
        for p, q in PICKS
    ]
    return running.group_by([*groups, "total"]).agg(picks)


class Pandas:
    """pandas, whose rows PostgreSQL gives: of the days that a part needs, and no more."""

    name = "pandas from PostgreSQL"

    def __init__(self, owner: Engine) -> None:
        self._owner = owner

    def answer(self, period: Period) -> Answer:
        """Every part."""
        days = Days(period)
        daily = self._rows("daily", days.first, period)
        durations = self._rows("duration", days.first, period)
        since = pd.to_datetime(period.end) - daily["day"]
        daily["back"], daily["last"] = (
            since.dt.days // period.step,
            since.dt.days % period.step == 0,
        )
        return {
            "FIGURES": _figures(daily, period),
            "SERIES": _series(daily, days),
            "CONTROLS": self._controls(period),
            "WHOLE_QUANTILES": _whole_quantiles(durations, period),
            "QUANTILES": _quantiles(durations, days),
        }

    def _rows(self, table: str, first: object, period: Period) -> pd.DataFrame:
        statement = text(f"select * from floor.{table} where day between :first and :end")
        with self._owner.connect() as connection:
            words = {"first": first, "end": period.end}
            return pd.read_sql_query(statement, connection, params=words, parse_dates=["day"])

    def _controls(self, period: Period) -> pd.DataFrame:
        rows = self._rows("control", period.previous.start, period)
        since = (pd.to_datetime(period.end) - rows["day"]).dt.days
        rows["back"] = since // period.step
        return rows[since % period.step == 0]


def _both(rows: pd.DataFrame, keys: list[str], made: dict[str, str]) -> pd.DataFrame:
    """Groups of each workspace, and of all of them."""
    each = rows.groupby(["workspace_id", *keys]).agg(made).reset_index()
    total = rows.groupby(keys).agg(made).reset_index()
    return pd.concat([each, total.assign(workspace_id=0)], ignore_index=True)


def _figures(daily: pd.DataFrame, period: Period) -> pd.DataFrame:
    at = pd.to_datetime([period.start, period.end, period.previous.start, period.previous.end])
    rows = daily[daily["day"] >= at[2]].assign(days=1)
    rows["now"] = rows["day"] >= at[0]
    rows[[*LEVELS]] = rows[[*LEVELS]].where(rows["day"].isin(at[[1, 3]]))
    made = {"days": "sum"} | dict.fromkeys(FLOW_COLUMNS, "sum") | dict.fromkeys(LEVELS, "max")
    return _both(rows, ["now"], made)


def _series(daily: pd.DataFrame, days: Days) -> pd.DataFrame:
    rows = daily.assign(days=1)
    rows[days.levels] = rows[days.levels].where(rows["last"])
    made = {"days": "sum"} | dict.fromkeys(FLOW_COLUMNS, "sum") | dict.fromkeys(days.levels, "max")
    steps = _both(rows, ["back"], made).set_index(["workspace_id", "back"])
    grid = pd.MultiIndex.from_product(
        [steps.index.levels[0], sorted(steps.index.levels[1], reverse=True)],
        names=steps.index.names,
    )
    trailing = ["days", *FLOW_COLUMNS]
    each = steps[trailing].reindex(grid, fill_value=0).groupby(level=0)
    sums = each.rolling(days.behind + 1, min_periods=1).sum().droplevel(0)
    steps[trailing] = sums.reindex(steps.index)
    return steps.reset_index()


def _whole_quantiles(durations: pd.DataFrame, period: Period) -> pd.DataFrame:
    first, now = pd.to_datetime([period.previous.start, period.start])
    rows = durations[durations["day"] >= first]
    rows = rows.assign(point=rows["day"] >= now)
    return _buckets(_both(rows, ["kind", "point", "bucket"], {"n": "sum"}))


def _quantiles(durations: pd.DataFrame, days: Days) -> pd.DataFrame:
    back = (pd.to_datetime(days.period.end) - durations["day"]).dt.days // days.period.step
    entries = (
        durations.assign(back=back).groupby(["kind", "bucket", "back"])["n"].sum().reset_index()
    )
    spread = entries.merge(pd.DataFrame({"behind": range(days.behind + 1)}), how="cross")
    spread["point"] = spread["back"] - spread["behind"]
    summed = spread.groupby(["kind", "point", "bucket"])["n"].sum().reset_index()
    return _buckets(summed.assign(workspace_id=0))


def _buckets(spread: pd.DataFrame) -> pd.DataFrame:
    """Buckets of the quantiles of each workspace, kind and point."""
    groups = ["workspace_id", "kind", "point"]
    running = spread.sort_values("bucket")
    running["below"] = running.groupby(groups)["n"].cumsum()
    running["total"] = running.groupby(groups)["n"].transform("sum")
    made = running.groupby(groups)["total"].first().to_frame()
    for pick, q in PICKS:
        beyond = running[running["below"] > (q * (running["total"] - 1)).floordiv(1)]
        made[pick] = beyond.groupby(groups)["bucket"].min()
    return made.reset_index()
