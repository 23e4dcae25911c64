"""Engines that answer the statements of the floor: DuckDB over Parquet and PostgreSQL, ClickHouse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import chdb
import duckdb
import pandas as pd
from sqlalchemy import URL

from aggregators.vocabulary.period import Period
from benchmarks.instead.daily import KEYS, TABLES, Answer
from benchmarks.instead.floor import statement


class OverParquet:
    """DuckDB over the Parquet files, by views of them."""

    name = "DuckDB over Parquet"

    def __init__(self, files: Sequence[Path]) -> None:
        self._duck = duckdb.connect()
        self._duck.execute("create schema floor")
        for file in files:
            self._duck.execute(f"create view floor.{file.stem} as from read_parquet('{file}')")

    def answer(self, period: Period) -> Answer:
        """Every part, as DuckDB's documentation hands it to Python."""
        return {part: self._duck.execute(_for_duckdb(part, period)).df() for part in KEYS}


class OverPostgres(OverParquet):
    """DuckDB over PostgreSQL: its extension attaches the database, as its owner."""

    name = "DuckDB over PostgreSQL"

    def __init__(self, address: URL, extension: Path) -> None:
        self._duck = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        self._duck.execute(f"load '{extension}'")
        words = {
            "host": address.host or address.query.get("host"),
            "port": address.port,
            "user": address.username,
            "password": address.password,
            "dbname": address.database,
        }
        connection_words = " ".join(f"{name}={word}" for name, word in words.items() if word)
        self._duck.execute(f"attach '{connection_words}' as pg (type postgres, read_only)")
        self._duck.execute("create schema floor")
        for name in TABLES:
            self._duck.execute(f"create view floor.{name} as from pg.floor.{name}")


class ClickHouse:
    """ClickHouse inside the process (chdb) over the Parquet files."""

    name = "ClickHouse (chdb) over Parquet"

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def answer(self, period: Period) -> Answer:
        """Every part, as chdb hands data frames on."""
        return {part: self._asked(part, period) for part in KEYS}

    def _asked(self, part: str, period: Period) -> pd.DataFrame:
        query = _for_clickhouse(part, period)
        for file in self._files:
            query = query.replace(f"floor.{file.stem}", f"file('{file}')")
        return chdb.query(f"{query} settings group_by_use_nulls = 1", "DataFrame")


def _for_duckdb(part: str, period: Period) -> str:
    """The statement with DuckDB's division of whole numbers."""
    return statement(part, period).replace(f") / {period.step}", f") // {period.step}")


def _for_clickhouse(part: str, period: Period) -> str:
    """The statement with ClickHouse's types, division and lists of numbers."""
    step = period.step
    day = f"('{period.end}'::Date - toDate(day))"
    query = statement(part, period).replace("::date - day", "::Date - toDate(day)")
    query = query.replace(f"{day} / {step}", f"intDiv({day}, {step})")
    return query.replace(
        f"cross join generate_series(0, {period.window // step - 1}) as points (behind)",
        f"array join range(0, {period.window // step}) as behind",
    )
