"""Values of a preset: whatever is asked of them is what the rows say that they were made of."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from aggregators.pooling.plan import BASE, BEFORE, NOW, SPRINT, TRAILING, TRAILING_BEFORE, Plan
from aggregators.pooling.presets.form import TableForm
from aggregators.pooling.presets.packing import PackableTable, pack_values
from aggregators.pooling.presets.unpacking import broken_values, unpack_tables
from aggregators.pooling.snapshot_rows import Events, SnapshotRows, number_of
from aggregators.pooling.span_facts import FactTable, grouped_table, usage_table
from aggregators.vocabulary.domain import USAGE
from aggregators.vocabulary.measure import DAYS_SEEN, Nature
from aggregators.vocabulary.period import PRESETS, rolling
from aggregators.vocabulary.sketch import HIGHEST_BUCKET, ZERO_BUCKET
from tests.deep import every

LAST = date(2026, 11, 22)
NATURES = {
    "done": Nature.FLOW,
    "open": Nature.LEVEL_SUM,
    "oldest": Nature.LEVEL_MAX,
    "took": Nature.DISTRIBUTION,
}
GROUPED = "spend_history"
FORMS = {
    table: lambda window, table=table: TableForm.of(table, NATURES, window)
    for table in (USAGE, GROUPED)
}
GROUPS = ("eu", "us", "zz")
SLUGS = ("alpha", "beta", "gamma", "delta")
Both = tuple[dict[str, FactTable], dict[str, FactTable]]


def rows_of(rng: np.random.Generator, scopes: list[np.ndarray], form: TableForm) -> SnapshotRows:
    """Rows of each scope on its days; running totals grow, a level is sometimes unknown."""
    scope = np.repeat(np.arange(len(scopes)), [len(days) for days in scopes])
    day = np.concatenate([*scopes, np.empty(0, int)]).astype(int)
    numbers = rng.integers(0, 9, (len(form.columns), len(day) + 1)).astype(float)
    for row, column in enumerate(form.columns):
        if column.endswith("_total"):
            for n in range(len(scopes)):
                own = scope == n
                numbers[row, :-1][own] = numbers[row, :-1][own].cumsum()
        else:
            numbers[row, :-1][rng.random(len(day)) < 0.1] = np.nan
    numbers[:, -1] = np.nan
    return SnapshotRows(scope, day, numbers, {name: n for n, name in enumerate(form.columns)})


def events_of(rng: np.random.Generator, scopes: int, widest: int) -> Events:
    count = int(rng.integers(0, 400)) if scopes else 0
    # An entry a scope, day and bucket, as they are stored.
    keys = {
        (int(rng.integers(0, scopes)), int(rng.integers(0, 800)), int(rng.integers(-1, widest)))
        for _ in range(count)
    }
    scope, back, bucket = np.array(sorted(keys), int).reshape(-1, 3).T
    day = (number_of(LAST) - back).astype(np.int32)
    return Events(
        scope.astype(np.int32), day, bucket.astype(np.int16), rng.integers(1, 200_000, len(scope))
    )


def both(seed: int, plan: Plan) -> Both:
    """The tables of some workspaces as they are stored, and from values that were packed apart."""
    rng = np.random.default_rng(seed)
    slugs = SLUGS[: int(rng.integers(1, len(SLUGS) + 1))]
    first = number_of(LAST) - int(rng.integers(5, 820))
    usage_form, grouped_form = (make(plan.period.window) for make in FORMS.values())
    days = [
        np.flatnonzero(rng.random(number_of(LAST) - first + 1) < rng.random()) + first
        for _ in slugs
    ]
    widest = int(rng.choice([1, 40, HIGHEST_BUCKET]))
    usage = usage_table(
        slugs,
        plan,
        NATURES,
        rows_of(rng, days, usage_form),
        {"took": events_of(rng, len(slugs), widest)},
    )
    owner = np.array([n for n in range(len(slugs)) for g in GROUPS if rng.random() < 0.6], int)
    groups = [GROUPS[k] for n in range(len(slugs)) for k in range(int((owner == n).sum()))]
    own_days = [days[n][rng.random(len(days[n])) < 0.9] for n in owner]
    grouped = grouped_table(
        [(slugs[n], group) for n, group in zip(owner, groups, strict=True)],
        owner, NATURES, rows_of(rng, own_days, grouped_form),
        {"took": events_of(rng, len(owner), widest)}, usage,
    )  # fmt: skip
    tables = [
        PackableTable(
            usage_form, usage, {"name": [f"of {slug}" for slug in slugs]}, np.arange(len(slugs))
        ),
        PackableTable(grouped_form, grouped, {"name": [None] * len(owner)}, owner),
    ]
    values = pack_values(tables, len(slugs))
    natures = {USAGE: NATURES, GROUPED: NATURES}
    read = unpack_tables(values, slugs, plan, (usage_form, grouped_form), natures)
    assert read[USAGE][1] == tables[0].labels
    return {USAGE: usage, GROUPED: grouped}, {name: table for name, (table, _) in read.items()}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", every(6, range(60)))
def test_every_fact_is_that_of_the_rows(preset, seed):
    plan = Plan.of(rolling(preset, LAST), LAST, 14)
    for name, (stored, read) in _pairs(both(seed, plan)).items():
        assert list(read.scopes) == list(stored.scopes)
        assert read.borders.day.tolist() == stored.borders.day.tolist()
        for label in stored.over:
            for fact in (DAYS_SEEN, "done", "open", "oldest"):
                expected = np.asarray(stored.over[label][fact])
                np.testing.assert_array_equal(
                    read.over[label][fact], expected, f"{name} {label} {fact}"
                )
        for label in (TRAILING, TRAILING_BEFORE):
            for q in (0.5, 0.9):
                expected = stored.over[label]["took"].quantile(q)
                np.testing.assert_array_equal(read.over[label]["took"].quantile(q), expected)
        assert {NOW, BEFORE, SPRINT, BASE} <= read.over.keys()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", every(6, range(100, 160)))
def test_durations_of_both_periods_and_of_every_point_are_those_of_the_rows(preset, seed):
    plan = Plan.of(rolling(preset, LAST), LAST, 14)
    for stored, read in _pairs(both(seed, plan)).values():
        rows = np.arange(len(stored.scopes))
        if not len(rows):
            continue
        for groups in ([rows], [rows[::2], rows[1::2]] if len(rows) > 1 else [rows]):
            for label in (NOW, BEFORE, TRAILING, TRAILING_BEFORE):
                expected = stored.over[label]["took"].merged(groups)
                merged = read.over[label]["took"].merged(groups)
                np.testing.assert_array_equal(merged.n, expected.n)
                np.testing.assert_array_equal(merged.moments, expected.moments)
                for q in (0.1, 0.5, 0.9):
                    np.testing.assert_array_equal(merged.quantile(q), expected.quantile(q))
        for label in (NOW, BEFORE):
            own, expected = read.over[label]["took"], stored.over[label]["took"]
            np.testing.assert_array_equal(own.n, expected.n)
            np.testing.assert_array_equal(own.moments, expected.moments)
            for q in (0.1, 0.5, 0.75, 0.9, 0.99):
                np.testing.assert_array_equal(own.quantile(q), expected.quantile(q))
            assert own.take(rows, 0) == expected.take(rows, 0)


def _pairs(tables: Both) -> dict[str, tuple[FactTable, FactTable]]:
    stored, read = tables
    return {name: (stored[name], read[name]) for name in stored}


def test_the_lowest_and_the_highest_bucket_have_a_cell_of_their_own():
    plan = Plan.of(rolling(28, LAST), LAST, 14)
    form = TableForm.of(USAGE, NATURES, plan.period.window)
    day = np.array([number_of(LAST)] * 2, np.int32)
    buckets = np.array([ZERO_BUCKET, HIGHEST_BUCKET], np.int16)
    events = Events(np.zeros(2, np.int32), day, buckets, np.array([1, 3]))
    rows = rows_of(np.random.default_rng(0), [np.array([number_of(LAST)])], form)
    table = PackableTable(
        form, usage_table(["a"], plan, NATURES, rows, {"took": events}), {}, np.zeros(1, int)
    )
    read = unpack_tables(pack_values([table], 1), ["a"], plan, (form,), {USAGE: NATURES})[USAGE][0]
    (sketch,) = read.over[NOW]["took"].take(np.zeros(1, int), 0)
    assert (sketch.buckets.tolist(), sketch.counts.tolist()) == (
        [ZERO_BUCKET, HIGHEST_BUCKET],
        [1, 3],
    )


def test_no_workspace_at_all_has_tables_without_scopes():
    plan = Plan.of(rolling(28, LAST), LAST, 14)
    form = TableForm.of(USAGE, NATURES, plan.period.window)
    facts, labels = unpack_tables([], [], plan, (form,), {USAGE: NATURES})[USAGE]
    assert not facts.scopes
    assert not labels
    assert facts.over[NOW]["done"].shape == (0, 1)


def test_a_value_that_is_cut_off_or_too_long_is_told_from_a_whole_one():
    plan = Plan.of(rolling(7, LAST), LAST, 14)
    form = TableForm.of(USAGE, NATURES, plan.period.window)
    rows = rows_of(
        np.random.default_rng(1), [np.array([number_of(LAST - timedelta(days=2))])], form
    )
    none = Events(*(np.empty(0, int) for _ in range(4)))
    table = PackableTable(
        form, usage_table(["a"], plan, NATURES, rows, {"took": none}), {}, np.zeros(1, int)
    )
    (value,) = pack_values([table], 1)
    assert broken_values([value], [form]) == []
    assert broken_values([value, value[:-1], value + b"\0", value[:7], b"", value], [form]) == [
        1,
        2,
        3,
        4,
    ]
