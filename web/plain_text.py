"""Text is checked once, where it enters: path, query, headers, form fields and JSON bodies.

PostgreSQL takes no NUL, UTF-8 no lone surrogate, a bigint no number beyond 64 bits, and Python reads no
integer of thousands of digits: whatever is past this module has none of them, and needs no further look.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.routing import IntegerConverter

LONGEST, LONGEST_PATH, LONGEST_HEADER = 10_000, 8_000, 16_000
"""Characters in a value, in a path and in a header."""
DEEPEST = 12
"""Levels of a JSON body; a request for filtered rows has eight."""
INT64 = 2**63
DIGITS = 20
"""Digits of the longest integer within 64 bits, with its sign."""
BROKEN = re.compile("[\0\ud800-\udfff]")
CONTROL = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
"""Characters that no header has; a tab may stand in one."""


class NotText(ValueError):
    """Something sent that is no text, no number within 64 bits or no JSON. ``field`` names the parameter,
    the path in the body, the header or ``path``; it is empty where the body as a whole is none."""

    def __init__(self, field: str, reason: str, status: int = 422) -> None:
        super().__init__(f"{field} {reason}" if field else reason)
        self.field, self.status = field, status


def install(app: Flask) -> None:
    """Has the application's requests read forms, JSON and numbers in paths by the rules of this module."""
    app.request_class = TextRequest
    app.json = TextJson(app)
    app.url_map.converters["int"] = PlainInteger


def check_request(request: Request) -> None:
    """Checks path, headers and query; forms and JSON are checked when they are read. Raises NotText."""
    _check_path(request.environ.get("PATH_INFO", ""))
    for key, value in request.environ.items():
        if key.startswith("HTTP_") and (len(value) > LONGEST_HEADER or CONTROL.search(value)):
            raise NotText(key[5:].replace("_", "-").title(), "is no header", 400)
    if query := request.query_string:
        _check_query(query)


def _check_path(path: str) -> None:
    """Refuses a path, in WSGI's latin-1 spelling of its bytes, that is no UTF-8."""
    try:
        text = path if path.isascii() else path.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise NotText("path", "is no UTF-8", 400) from error
    if "\0" in text or len(text) > LONGEST_PATH:
        raise NotText("path", "is no address", 400)


def _check_query(query: bytes) -> None:
    """Refuses a query whose bytes, escapes resolved, are no UTF-8, and names the parameter."""
    for pair in query.split(b"&"):
        name, _, value = (
            unquote_to_bytes(part.replace(b"+", b" ")) for part in pair.partition(b"=")
        )
        field = name.decode(errors="replace")[:40].replace("\0", "\N{REPLACEMENT CHARACTER}")
        try:
            check_value(name.decode(), field)
            check_value(value.decode(), field)
        except UnicodeDecodeError as error:
            raise NotText(field, "is no UTF-8") from error


def check_value(value: str, field: str) -> None:
    """Refuses text with a NUL or a lone surrogate, or of more than 10,000 characters. Raises NotText."""
    if len(value) > LONGEST:
        raise NotText(field, f"has more than {LONGEST:,} characters")
    if (not value.isascii() or "\0" in value) and (character := BROKEN.search(value)):
        raise NotText(field, f"holds the character U+{ord(character[0]):04X}")


def read_json(data: bytes | str, field: str = "") -> Any:
    """JSON as RFC 8259 has it, each key once, at most 12 levels deep, its numbers within 64 bits. Raises
    NotText naming the path of what is none, below ``field``."""
    status = 422 if field else 400
    try:
        text = data if isinstance(data, str) else data.decode()
        value = json.loads(text, parse_int=_integer, object_pairs_hook=_object)
    except NotText:
        raise
    except (ValueError, RecursionError) as error:
        raise NotText(field, "is no JSON" if field else "The body is no JSON.", status) from error
    _check_json(value, field, 0)
    return value


def _integer(digits: str) -> float:
    """The number; infinite when it is beyond 64 bits, which no check of a finite number lets through."""
    value = int(digits) if len(digits) <= DIGITS else INT64
    return value if -INT64 <= value < INT64 else math.inf


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a key that stands twice: readers differ in which of the two counts."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise NotText(
            _name_in_error(next(n for n in names if names.count(n) > 1)), "is given twice"
        )
    return made


def _check_json(value: Any, path: str, level: int) -> None:
    """Raises NotText naming the path where a document holds what is no plain text."""
    if isinstance(value, str):
        check_value(value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise NotText(path, "must be a number within 64 bits")
    elif isinstance(value, dict | list):
        if level >= DEEPEST:
            raise NotText(path, "is nested too deeply")
        items: Iterable[tuple[Any, Any]] = (
            value.items() if isinstance(value, dict) else enumerate(value)
        )
        for key, item in items:
            name = _name_in_error(str(key))
            below = f"{path}.{name}" if path else name
            if isinstance(key, str):
                check_value(key, below)
            _check_json(item, below, level + 1)


def _name_in_error(name: str) -> str:
    """A name as an error may repeat it."""
    return BROKEN.sub("\N{REPLACEMENT CHARACTER}", name[:40])


class TextJson(DefaultJSONProvider):
    """Flask's JSON, read by ``read_json``."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Raises NotText."""
        return read_json(s)


class TextForm(FormDataParser):
    """Forms of text fields. No route takes a file, and a library that meets one takes it for text."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, Any]]:
        """Raises NotText."""
        self.silent = False
        try:
            rest, form, files = super().parse(stream, mimetype, content_length, options)
        except ValueError as error:
            raise NotText("", "The body is no form.", 400) from error
        for name in files:
            raise NotText(_name_in_error(name), "takes text, not a file")
        for name, value in form.items(multi=True):
            check_value(name, _name_in_error(name))
            check_value(value, _name_in_error(name))
        return rest, form, files


class TextRequest(Request):
    """A request whose form and JSON are text throughout."""

    form_data_parser_class = TextForm

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Raises NotText."""
        if isinstance(e, NotText):
            raise e
        raise NotText("", "The body must be JSON, and say so in its Content-Type.", 400) from e


class PlainInteger(IntegerConverter):
    """A whole number in a path: ASCII digits, within 64 bits."""

    regex = "[0-9]{1,18}"
