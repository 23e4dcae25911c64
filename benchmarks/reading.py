"""The read against its floor, the cache against the read, the wire against the read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import count, islice
from typing import Any

import brotli
import numpy as np
import orjson
import pandas as pd
from sqlalchemy import text

from aggregators.catalogue import domains
from aggregators.pooling.cards import WorkspaceLabel
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.plan import BEFORE, NOW, TRAILING, Plan
from aggregators.pooling.rollup import roll
from aggregators.vocabulary.domain import USAGE
from aggregators.vocabulary.period import Ask
from aggregators.vocabulary.sketch import value_of
from app import create_app
from benchmarks.installation import EVERYONE, PASSWORD, Bench
from benchmarks.instead.floor import Floor
from benchmarks.proof import proof_milliseconds
from benchmarks.read_memory import read_memory
from benchmarks.report.table import Row, best_time, time_once, timed_in_turn
from reading.caching.cached_dashboard import read_cached
from reading.caching.dashboard_cache import DashboardCache
from reading.dashboard import read, version
from reading.decoding import preset_tables, tables
from reading.encode import dashboard_json
from reading.rows import preset_request
from reading.signals import open_signals
from storage import context
from storage.executive import encoded_rows, preset_rows
from storage.executive.encoded_rows import Layout, RowsRequest
from storage.executive.scope import scoped_workspaces
from storage.snapshot.columns import USAGE_COLUMNS
from tests.plain.reading import comparable, one_by_one

READ = "read(), cold, each workspace in its own context"
COMPARED = 20
"""Workspaces, spread over all, whose rows are compared byte by byte."""
NAIVE = 20
"""Workspaces that the naive way reads; its time is theirs, times as many as there are."""


def measure(bench: Bench) -> list[Row]:
    """Every row of the read, the cache and the wire."""
    floor = Floor(bench.owner)
    floor.prepare()
    check_equal(bench, floor)
    return [
        *_reads(bench, floor),
        *_steps(bench),
        *_ways(bench),
        *_cache(bench),
        *_wire(bench),
    ]


def _reads(bench: Bench, floor: Floor) -> list[Row]:
    table_rows: list[Row] = []
    days = (28, 365)
    times = timed_in_turn(
        {f"read {n}": lambda n=n: bench.read(n) for n in days}
        | {f"sums {n}": lambda n=n: floor.sums(bench.period(n)) for n in days}
        | {f"floor {n}": lambda n=n: floor.everything(bench.period(n)) for n in days}
    )
    for n, target in zip(days, (0.2, 0.07), strict=True):
        against = "plain SQL without quantiles"
        ours, sums, all_of_it = (times[f"{what} {n}"] for what in ("read", "sums", "floor"))
        table_rows += [
            Row(READ, f"{n} days", ours, all_of_it, "ms", target, "plain SQL, all of it"),
            Row(READ, f"{n} days, quantiles given away", ours, sums, "ms", None, against),
        ]
    few = timed_in_turn({"all": lambda: bench.read(28), "some": lambda: bench.read(28, bench.some)})
    return [
        *table_rows,
        Row(READ, "365 days", times["read 365"], times["read 28"], "ms", 1.15, "28 days"),
        Row(READ, "all workspaces", few["all"], few["some"], "ms", 5.5, "a fifth of them"),
        Row(
            READ, "memory, 365 days", read_memory(bench), 150, "MB", 1.0, "the most that is allowed"
        ),
        Row(
            READ, "memory, its rows held for the next", read_memory(bench, "RowCache()"), 150, "MB"
        ),
    ]


def _steps(bench: Bench) -> list[Row]:
    """Where the time goes."""
    part, table_rows = "a read, step by step", []
    for days in (28, 365):
        plan = _plan(bench, days)
        with context.as_viewer(bench.database.web, bench.everyone) as connection:
            states = scoped_workspaces(connection)
            layout = encoded_rows.number_layout(connection)
            request = preset_request(plan, plan.period.end, layout)
            packed = preset_rows.packed_values(connection, days, request.name)
            slugs = {s.workspace_id: s.slug for s in states}
            names = [slugs[workspace_id] for workspace_id in packed]
            places = [WorkspaceLabel(s.slug, s.name) for s in states]
            values = list(packed.values())
            works: dict[str, Callable[[], object]] = {
                "who may see what": lambda: scoped_workspaces(connection),
                "what the watch has learned": lambda p=plan: open_signals.scatter(
                    connection, slugs, p.period.previous.start
                ),
                "values of all workspaces": lambda d=days, r=request: preset_rows.packed_values(
                    connection, d, r.name
                ),
                "values to tables": lambda v=values, n=names, p=plan: preset_tables(v, n, p),
                "tables, figures, series, ranks": lambda v=values, n=names, p=plan: _roll_domains(
                    v, n, p, places
                ),
                "rows of all workspaces, of days of one's own": lambda r=request: (
                    encoded_rows.scoped_rows(connection, r.rows)
                ),
            }
            times = timed_in_turn(works)
        whole = best_time(lambda n=days: bench.read(n), 3)
        table_rows += [
            Row(part, f"{what}, {days} days", ms, whole, "ms", None, "the read")
            for what, ms in times.items()
        ]
    return table_rows


def _roll_domains(
    values: Sequence[bytes], slugs: Sequence[str], plan: Plan, places: list[WorkspaceLabel]
) -> None:
    tables_by_name = preset_tables(values, slugs, plan)
    for domain in domains():
        roll(domain, tables_by_name.by_name[domain.table], places, plan)


def _ways(bench: Bench) -> list[Row]:
    """The naive ways to the same rows, from some workspaces, times as many as there are."""
    table_rows = []
    for days in (28, 365):
        cold = best_time(lambda d=days: bench.read(d), 3)
        part = f"other ways to the same rows, {days} days"
        for what, way in (
            ("six pandas queries a workspace", _read_one_by_one),
            ("plain queries, workspace by workspace", _one_by_one),
        ):
            times = time_once(lambda w=way, d=days: w(bench, d)) * bench.workspaces / NAIVE
            table_rows.append(Row(part, what, times, cold, "ms", None, f"the read; from {NAIVE}"))
    return table_rows


def _read_one_by_one(bench: Bench, days: int) -> list[pd.DataFrame]:
    """Six domains, each with a query of its own in every workspace's context."""
    period, frames = bench.period(days), []
    with context.as_viewer(bench.database.web, bench.everyone) as connection:
        for workspace in scoped_workspaces(connection)[:NAIVE]:
            with context.enter(connection, context.ROLLUP, workspace.workspace_id):
                frames += [
                    pd.read_sql(
                        text(
                            f"select * from {table} where snapshot_date"
                            " between :first and :last order by snapshot_date"
                        ),
                        connection,
                        params={"first": period.previous.start, "last": period.end},
                    )
                    for table in ["workspace_usage_snapshot"] * 5 + ["compliance_snapshot_history"]
                ]
    return frames


def _one_by_one(bench: Bench, days: int) -> None:
    plan = _plan(bench, days)
    with context.as_viewer(bench.database.web, bench.everyone) as connection:
        for _ in islice(one_by_one(connection, _rows_request(plan, {})), NAIVE):
            pass


def _plan(bench: Bench, days: int) -> Plan:
    period = bench.period(days)
    return Plan.of(period, period.end, bench.settings.sprint_days)


def _rows_request(plan: Plan, layout: Layout) -> RowsRequest:
    return RowsRequest(plan.borders, plan.period.end, plan.blocks, layout)


def check_equal(bench: Bench, floor: Floor) -> None:
    """Fails when the fast read, the one-by-one read and the floor do not say the same: the floor of every
    flow, level and quantile of every workspace in both periods, and of each point of some; one by one of
    every byte of some."""
    for days in (28, 365):
        plan = _plan(bench, days)
        with context.as_viewer(bench.database.web, bench.everyone) as connection:
            layout = encoded_rows.number_layout(connection)
            packed, failed = encoded_rows.scoped_rows(connection, _rows_request(plan, layout))
            spread = {p.workspace_id for p in packed[:: max(1, len(packed) // COMPARED)]}
            slow = [*one_by_one(connection, _rows_request(plan, layout), spread)]
        assert not failed
        by_id = {p.workspace_id: p for p in packed}
        assert len(slow) == len(spread)
        for own in slow:
            fast = by_id[own.workspace_id]
            assert comparable(fast, layout) == comparable(own, layout), (
                f"{days} days: {own.workspace_id}"
            )
        slugs = {p.workspace_id: str(p.workspace_id) for p in packed}
        made = tables(packed, slugs, plan, plan.period.end, layout).by_name[USAGE]
        quantiles = floor.quantiles(plan.period)
        for label in (NOW, BEFORE):
            expected = floor.figures(plan.period, now=label == NOW)
            assert set(expected) == set(by_id)
            _check_equal_facts(
                made.over[label], [expected[p.workspace_id] for p in packed], f"{days} {label}"
            )
            expected_rows = [row for row in quantiles if row["point"] == (label == NOW)]
            _check_equal_quantiles(made.over[label], expected_rows, [*by_id], f"{days} {label}")
        series = floor.series(plan.period, spread)
        _check_equal_series(made.over[TRAILING], series, [*by_id], f"{days} days, points")


def _check_equal_facts(
    facts: Mapping[str, np.ndarray], expected: Sequence[Mapping], what: str
) -> None:
    for name in (*USAGE_COLUMNS.flows, *USAGE_COLUMNS.levels):
        if name in facts:
            ours = facts[name][:, 0].astype(float)
            theirs = np.array([row[name] for row in expected], float)
            has_value = ~np.isnan(theirs)
            assert np.allclose(np.nan_to_num(ours[has_value]), theirs[has_value]), f"{what}: {name}"


def _check_equal_quantiles(
    facts: Mapping[str, Any], expected: Sequence[Mapping], ids: Sequence[int], what: str
) -> None:
    """Compare quantiles of the workspaces, and of the organisation, whose id is 0."""
    at = {workspace_id: i for i, workspace_id in enumerate([*ids, 0])}
    for kind, name in enumerate(USAGE_COLUMNS.distributions):
        own, org = facts[name], facts[name].merged()
        rows = [row for row in expected if row["kind"] == kind]
        places = [at[row["workspace_id"]] for row in rows]
        counted = np.zeros(len(at))
        counted[places] = [float(row["total"]) for row in rows]
        ours = np.nan_to_num(np.concatenate([own.n, org.n])[:, 0])
        assert (ours == counted).all(), f"{what}: {name}"
        for column, q in (("p50", 0.5), ("p90", 0.9)):
            both = np.concatenate([own.quantile(q), org.quantile(q)])[:, 0]
            theirs = value_of(np.array([row[column] for row in rows], int))
            assert np.allclose(both[places], theirs), f"{what}: {name} {column}"


def _check_equal_series(
    facts: Mapping[str, np.ndarray], expected: Sequence[Mapping], ids: Sequence[int], what: str
) -> None:
    """The flows of the points that both have; those of the floor reach further back."""
    at, compared = {workspace_id: i for i, workspace_id in enumerate(ids)}, 0
    for row in expected:
        for name in USAGE_COLUMNS.flows:
            if name in facts and row["back"] < (points := facts[name].shape[1]):
                ours = facts[name][at[row["workspace_id"]], points - 1 - row["back"]]
                theirs = float(row[name])
                assert np.isclose(ours, theirs), f"{what}: {name} of {row['workspace_id']}"
                compared += 1
    assert compared, what


def _cache(bench: Bench) -> list[Row]:
    part, folder = "the cache", bench.settings.data_dir / "bench-cache"
    kept = DashboardCache(folder)

    def warm(kept: DashboardCache) -> Dashboard:
        return read_cached(bench.database, bench.everyone, Ask(28), bench.settings, kept)

    warm(kept)
    times = timed_in_turn(
        {
            "cold": lambda: bench.read(28),
            "same process": lambda: warm(kept),
            "other process": lambda: warm(DashboardCache(folder)),
            "unchanged": lambda: version(bench.database, bench.everyone, Ask(28), bench.settings),
        }
    )
    cold, proof = times["cold"], proof_milliseconds(bench)
    return [
        Row(part, "warm", times["same process"], cold, "ms", 0.1, "cold"),
        Row(part, "proof of who asks", proof, times["same process"], "ms", 0.03, "warm"),
        Row(
            part,
            "warm, computed by another process",
            times["other process"],
            cold,
            "ms",
            None,
            "cold",
        ),
        Row(part, "304, no row read", times["unchanged"], cold, "ms", 0.1, "cold"),
    ]


def _wire(bench: Bench) -> list[Row]:
    part = "the wire, 28 days with the breakdown"

    def read_and_encode() -> bytes:
        # As over 200 workspaces by itself: fewer would be answered in full, which is another thing.
        body = orjson.dumps(dashboard_json(bench.read(28), full=False))
        return brotli.compress(body, quality=QUALITY)

    sizes = {
        "all workspaces": len(read_and_encode()) / 1000,
        "first page of one domain": largest_page(bench) / 1000,
        "first page of all domains": _first_page(bench) / 1000,
    }
    times = timed_in_turn(
        {"read": lambda: bench.read(28), "answer": read_and_encode} | _served_steps(bench)
    )
    allowed = "the most that is allowed"
    page, whole = sizes["first page of one domain"], sizes["all workspaces"]
    six = sizes["first page of all domains"]
    request_time, read_time = times["served, days of its own"], times["read, days of its own"]
    return [
        Row(part, "read, encode, compress", times["answer"], times["read"], "ms", None, "the read"),
        Row(
            part,
            "the whole request, of days not asked for yet",
            request_time,
            read_time,
            "ms",
            1.4,
            "the read",
        ),
        Row(part, "first page of a domain, compressed", page, 100, "KB", 1.0, allowed),
        Row(part, "the same of all six in one answer", six, 100, "KB", 1.0, "the same"),
        Row(part, "all workspaces, compressed", whole, 1000, "KB", None, "a megabyte"),
    ]


def _served_steps(bench: Bench) -> dict[str, Callable[[], object]]:
    """The request as the program answers it: who asks, the look at what is kept, the read, the encoding,
    what is kept of it, compression; and the read of such days alone. Each time of other days, so that
    nobody has asked for them."""
    cache = bench.settings.data_dir / "wire-cache"
    shutil.rmtree(cache, ignore_errors=True)
    settings = bench.settings.model_copy(update={"cache_dir": cache})
    client = create_app(settings, bench.database).test_client()
    form = client.get("/login").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token
    client.post("/login", data={"csrf_token": token[1], "email": EVERYONE, "password": PASSWORD})
    ends = (bench.period(28).end - timedelta(days=n) for n in count(40))
    headers = {"Accept-Encoding": "br"}

    def answer_request() -> None:
        end = next(ends)
        days = {"start": end - timedelta(days=27), "end": end, "detail": "brief"}
        answer = client.get(API, query_string=days, headers=headers)
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "br"), (
            answer.status
        )

    def read_alone() -> None:
        end = next(ends)
        ask = Ask(None, end - timedelta(days=27), end)
        read(bench.database, bench.everyone, ask, bench.settings)

    return {"served, days of its own": answer_request, "read, days of its own": read_alone}


API = "/api/v1/platform/executive-dashboard/"
QUALITY = 4
"""Of brotli: what flask-compress takes by itself."""


def largest_page(bench: Bench) -> int:
    """Bytes of the largest of the six domains' first 24 cards, compressed."""
    dashboard = bench.read(28)
    return max(_compressed_size(dashboard.only([s.domain.key])) for s in dashboard.scorecards)


def _first_page(bench: Bench) -> int:
    """The first 24 cards of each of them, as one answer of the API."""
    return _compressed_size(bench.read(28))


def _compressed_size(dashboard: Dashboard) -> int:
    body = orjson.dumps(dashboard_json(dashboard, ranks=slice(0, 24)))
    return len(brotli.compress(body, quality=QUALITY))
