"""Arrays in one text are read by PostgreSQL as the values that they were made of."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from storage.arrays import array
from tests.deep import efforts

INSTANTS = st.datetimes(
    datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(timezone(timedelta(hours=-5)))
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.sampled_from(["", "NULL", "null", "{}", '"', "\\", '\\"', "a,b", " ", "\\x00", "\x1f"]),
)
OF = {
    "text[]": TEXTS,
    "jsonb[]": st.sampled_from(['{"a": "b\\"c\\\\d"}', "[1, null]", '"x"']),
    "bigint[]": st.integers(-(2**63), 2**63 - 1),
    "float8[]": st.floats(allow_nan=False),
    "boolean[]": st.booleans(),
    "bytea[]": st.binary(),
    "date[]": st.dates(date(1, 1, 1)),
    "timestamptz[]": INSTANTS,
}


@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize("effort", efforts(few=10, many=40, deep=2000))
def test_what_goes_in_comes_out(server, of, effort):
    @effort
    @given(data=st.data())
    def holds(data):
        values = data.draw(st.lists(st.none() | OF[of], max_size=6))
        query = text(f"select v from unnest(cast(:values as {of})) as v")
        with server.job.connect() as connection:
            rows = connection.execute(query, {"values": array(values)}).scalars().all()
        assert [_plain(row) for row in rows] == [_plain(_read(value, of)) for value in values]

    holds()


def _read(value: Any, of: str) -> Any:
    return json.loads(value) if of == "jsonb[]" and value is not None else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return bytes(value) if isinstance(value, memoryview) else value


def test_a_value_that_no_array_has_is_refused():
    with pytest.raises(TypeError, match="dict"):
        array([{}])
