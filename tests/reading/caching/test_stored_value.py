"""Values as they lie on the disk come back as they were, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from reading.caching.dashboard_cache import DashboardCache
from reading.caching.stored_value import ALIGNED, StoredValue, restore_value

NUMBERS = st.sampled_from(["<f8", "<i4", "?", "<U3", "u1"])
ARRAYS = NUMBERS.flatmap(lambda kind: arrays(kind, array_shapes(min_dims=0, min_side=0)))


@dataclass(eq=False)
class Kept:
    """Arrays as a table has them: in rows, in columns, and a part of another."""

    rows: np.ndarray
    columns: np.ndarray
    part: np.ndarray


def same(value: np.ndarray, other: np.ndarray) -> bool:
    return (value.dtype, value.shape, value.tobytes()) == (
        other.dtype,
        other.shape,
        other.tobytes(),
    )


def read_in_parts(value: object) -> bytes:
    stored, parts = StoredValue(value), []
    while part := stored.read(4):
        parts.append(bytes(part))
    return b"".join(parts)


@given(st.lists(ARRAYS, max_size=5), st.text())
def test_arrays_of_any_kind_and_shape_come_back(values, name):
    stored = StoredValue((name, values))
    again_name, again = restore_value(stored.bytes())
    assert again_name == name
    assert all(map(same, again, values))
    assert len(again) == len(values)
    assert stored.size == len(stored.bytes())
    assert read_in_parts((name, values)) == stored.bytes()


def test_parts_of_arrays_and_columns_come_back():
    whole = np.arange(24.0).reshape(4, 6)
    kept = Kept(whole, np.asfortranarray(whole), whole[1:, ::2])
    again = restore_value(StoredValue(kept).bytes())
    for name in ("rows", "columns", "part"):
        assert same(getattr(again, name), getattr(kept, name))


def test_one_array_that_stands_twice_is_stored_once():
    numbers = np.arange(10_000.0)
    stored = StoredValue([numbers, numbers])
    assert stored.size < 2 * numbers.nbytes
    first, second = restore_value(stored.bytes())
    assert first is second


def test_numbers_lie_where_the_processor_reads_them_at_once():
    stored = StoredValue([np.arange(n, dtype=kind) for n in (3, 5) for kind in ("u1", "<f8")])
    data = np.frombuffer(stored.bytes(), "u1")
    for array in restore_value(data.tobytes()):
        assert array.flags.aligned
    assert stored.size % ALIGNED == 0


def test_a_value_without_arrays_comes_back():
    assert restore_value(StoredValue(None).bytes()) is None


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 64, 200, -1])
def test_a_value_that_is_cut_off_is_none(cut):
    whole = StoredValue([np.arange(100.0), "name"]).bytes()
    with pytest.raises(Exception, match=r".") as refused:
        restore_value(whole[:cut])
    assert isinstance(refused.value, Exception)


def test_a_value_that_is_followed_by_something_is_none():
    with pytest.raises(ValueError, match="not as long as it says"):
        restore_value(StoredValue(["name"]).bytes() + b"\0")


@pytest.mark.parametrize("numbers", [3, 100_000])
def test_another_process_finds_what_was_put_small_or_large(tmp_path, numbers):
    first, other = DashboardCache(tmp_path), DashboardCache(tmp_path)
    made = {"numbers": np.arange(numbers * 1.0), "name": "alpha"}
    first.put("dashboard:a", made, 600.0)
    found = other.find_kept("dashboard:a")
    assert found["name"] == "alpha"
    assert same(found["numbers"], made["numbers"])
    with pytest.raises(ValueError, match="read-only"):
        found["numbers"][0] = 1.0
