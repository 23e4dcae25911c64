"""Rows of a query by binary COPY, and the values in their fields."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Generic, TypeVar

import orjson
import psycopg2
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

Values = list[memoryview | None]
"""Fields of a row, as the bytes that PostgreSQL sends; None for null."""
Received = TypeVar("Received")
EPOCH = date(2000, 1, 1)
"""Day that a date is counted from."""
HEADER = 19
"""Bytes before the first row of a binary COPY: signature, flags, no extension."""
COUNT_SIZE, LENGTH_SIZE = 2, 4
COUNT, LENGTH = struct.Struct(">h").unpack_from, struct.Struct(">i").unpack_from
"""Readers of how many fields a row has, and of how many bytes a value: whole numbers, as tuples of one."""


def copied_rows(connection: Connection, query: str, arguments: tuple) -> list[Values]:
    """Rows of a query as the bytes of their fields. Raises as SQLAlchemy does."""
    return received_rows(connection, query, arguments, _as_they_are)


def received_rows(
    connection: Connection, query: str, arguments: tuple, receive: Callable[[Values], Received]
) -> list[Received]:
    """Results of ``receive`` for each row, which is given the bytes of its fields while the server is at
    the next ones. COPY sends binary: a text protocol takes twice the bytes and five times the time. Raises
    as SQLAlchemy does, and what ``receive`` raises once the server has sent everything."""
    raw: Any = connection.connection.dbapi_connection
    receiver = _Receiver(receive)
    with raw.cursor() as cursor:
        statement = cursor.mogrify(query, arguments).decode()
        try:
            cursor.copy_expert(f"copy ({statement}) to stdout (format binary)", receiver)
        except psycopg2.Error as error:
            # A server that dies while it answers is not always an OperationalError to the driver.
            away = raw.closed or isinstance(error, psycopg2.OperationalError)
            if raw.closed:
                connection.invalidate(error)
            raise (OperationalError if away else DBAPIError)(statement, {}, error) from error
    if receiver.error is not None:
        raise receiver.error
    return receiver.received


def _as_they_are(values: Values) -> Values:
    return values


class _Receiver(Generic[Received]):
    """File that the driver writes a COPY to, a message at a time: PostgreSQL sends a row in each, the first
    behind the header, and the end in one of its own."""

    def __init__(self, receive: Callable[[Values], Received]) -> None:
        self.received: list[Received] = []
        self.error: Exception | None = None
        self._receive = receive
        self._at = HEADER

    def write(self, message: bytes) -> None:
        """Takes a message. The driver can not be told of an error in it, and goes on."""
        if self.error is not None:
            return
        data, at = memoryview(message), self._at
        self._at = 0
        try:
            while at < len(data) and (count := COUNT(data, at)[0]) >= 0:
                values, at = _row(data, at + COUNT_SIZE, count)
                self.received.append(self._receive(values))
        except Exception as error:  # noqa: BLE001 - raised once the driver is through
            self.error = error


def _row(data: memoryview, at: int, count: int) -> tuple[Values, int]:
    """So many fields from a place on, and where they end."""
    values: Values = []
    for _ in range(count):
        size = LENGTH(data, at)[0]
        at += LENGTH_SIZE
        if size < 0:
            values.append(None)
            continue
        values.append(data[at : at + size])
        at += size
    return values, at


def fields(value: memoryview) -> Iterator[memoryview | None]:
    """Values of a record's fields, as PostgreSQL sends it: how many, then each with type and size."""
    at = 4
    for _ in range(LENGTH(value, 0)[0]):
        size = LENGTH(value, at + 4)[0]
        at += 8
        yield None if size < 0 else value[at : at + size]
        at += max(size, 0)


def integer(value: memoryview | None) -> int:
    """Value of an int2, int4 or int8 that is not negative; 0 for null."""
    return int.from_bytes(value or b"", "big")


def day(value: memoryview | None) -> date | None:
    """Value of a date, or of the days since 2000-01-01; None for null."""
    if value is None:
        return None
    return EPOCH + timedelta(days=int.from_bytes(value, "big", signed=True))


def json_value(value: memoryview | None) -> Any:
    """Value of a jsonb, which begins with a byte for the version of its format; None for null."""
    return orjson.loads(value[1:]) if value else None


def texts(value: memoryview | None) -> Sequence[str]:
    """Elements of an array of text."""
    return _texts(bytes(value)) if value is not None else ()


@lru_cache(maxsize=256)
def _texts(value: bytes) -> Sequence[str]:
    """Kept: a thousand workspaces have the same distributions, and mostly the same groups."""
    return tuple(str(element, "utf-8") for element in array(memoryview(value)))


def lines(value: memoryview | None) -> list[str]:
    """Lines of a text; none for null."""
    return str(value, "utf-8").split("\n") if value is not None else []


def numbers(value: memoryview | None) -> tuple[float, ...]:
    """Numbers of type float8 that were sent one after the other; none for null."""
    return struct.unpack(f">{len(value) // 8}d", value) if value is not None else ()


def array(value: memoryview | None) -> list[memoryview]:
    """The elements of a one-dimensional array without nulls, as PostgreSQL sends it: dimensions,
    flags, type, length, lower bound, then each element with its size."""
    if value is None or not len(value):
        return []
    elements, at = [], 20
    for _ in range(LENGTH(value, 12)[0]):
        end = at + 4 + LENGTH(value, at)[0]
        elements.append(value[at + 4 : end])
        at = end
    return elements
