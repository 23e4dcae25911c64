"""Reading documents (JSON, YAML, XML) that others wrote: bounded, safe, errors with their position."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import ijson
import yaml
from defusedxml import DefusedXmlException

from storage.records.kinds import Fault
from storage.records.reader import Raw, Reading, Unreadable

LARGEST = 32 * 1024 * 1024
"""Bytes of a document that is read as a whole."""
LONGEST = 8 * 1024 * 1024
"""Bytes of one record in a stream of them."""
DEEPEST = 200
YAML = 1024 * 1024
"""Bytes of a YAML file: it costs five hundred times its size to read, and specs take kilobytes."""


def content(reading: Reading, most: int = LARGEST) -> bytes:
    """The whole file. Raises Unreadable when it is larger than ``most``."""
    with reading.opened() as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise Unreadable(f"is over {most // 2**20} MB")
    return found


def json_document(reading: Reading) -> Any:
    """The file as one JSON document. Raises Unreadable with line and column."""
    try:
        return json.loads(content(reading))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"is no JSON, or is cut off: {error.msg} at {place}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"is no JSON: {error}") from error


def json_items(reading: Reading) -> Iterator[tuple[str, Any]]:
    """The records of a JSON array, of JSON lines, or the one object of the file, each with its place
    (a JSON pointer, or a line). A stream: only one record is held. Raises Unreadable where it breaks."""
    with reading.opened() as file:
        first = _first(file)
    if first == b"[":
        yield from _array(reading)
    elif first == b"{":
        yield from _objects(reading)
    else:
        raise Unreadable("is no JSON: it begins with neither { nor [")


def _first(file: BinaryIO) -> bytes:
    return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def _array(reading: Reading) -> Iterator[tuple[str, Any]]:
    done = 0
    with reading.opened() as file:
        piece = _Piecewise(file)
        try:
            for item in _items(ijson.basic_parse(piece, use_float=True)):
                yield f"/{done}", item
                done += 1
                piece.since = 0
        except (ijson.JSONError, UnicodeDecodeError) as error:
            reason = str(error).splitlines()[0][:120]
            raise Unreadable(f"is no JSON, or is cut off, after record {done}: {reason}") from error


def _items(events: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    """The items of the array that the events are of. ijson's own ``items`` keeps the path of each level:
    a megabyte of opened brackets would take gigabytes."""
    depth, builder = 0, ijson.ObjectBuilder()
    for event, value in events:
        depth += event.startswith("start_") - event.startswith("end_")
        if depth > DEEPEST:
            raise Unreadable(f"nests more than {DEEPEST} levels deep")
        if not depth or (depth == 1 and event == "start_array"):
            continue  # the array itself
        builder.event(event, value)
        if depth == 1:
            yield builder.value
            builder = ijson.ObjectBuilder()


class _Piecewise:
    """A file that ends with Unreadable when a record or a token of it grows too long: expat takes the
    square of its length in time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.since = file, 0

    def read(self, size: int) -> bytes:
        """As of any file."""
        found = self._file.read(size)
        self.since += len(found)
        if self.since > LONGEST + size:
            raise Unreadable(f"holds more than {LONGEST // 2**20} MB in one piece")
        return found


def _objects(reading: Reading) -> Iterator[tuple[str, Any]]:
    """JSON lines when the first line is a whole object, else one object over many lines."""
    with reading.opened() as file:
        line = file.readline(LONGEST + 1)
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            yield "", json_document(reading)
            return
    for number, text in enumerate(text_lines(reading), 1):
        if text.strip():
            try:
                yield f"line {number}", json.loads(text)
            except (ValueError, RecursionError) as error:
                raise Unreadable(f"line {number} is no JSON: {str(error)[:120]}") from error


def text_lines(reading: Reading) -> Iterator[str]:
    """The lines of a UTF-8 text, one held at a time. Raises Unreadable with the line."""
    with reading.opened() as file:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise Unreadable(f"line {number} is over {LONGEST // 2**20} MB")
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise Unreadable(f"is not UTF-8 at line {number}, byte {error.start}") from error


def yaml_documents(text: bytes) -> Iterator[tuple[int, Any]]:
    """The documents of a YAML file with the line each begins at. Raises Unreadable with the line."""
    try:
        for node in yaml.compose_all(text, yaml.SafeLoader):
            if node is not None:
                loader = yaml.SafeLoader("")
                yield node.start_mark.line + 1, loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its beginning"
        raise Unreadable(f"is no YAML: {error.problem} at {place}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(f"is no YAML: {str(error)[:120]}") from error


def xml_elements(
    reading: Reading, wanted: Collection[str], begun: Collection[str] = ()
) -> Iterator[Element]:
    """The elements whose local name is ``wanted``, whole; those ``begun`` as soon as they begin, with
    their attributes alone. Only what is inside a wanted one is held. Entities and document types are
    refused. Raises Unreadable."""
    above: list[Element] = []
    inside = 0
    with reading.opened() as file:
        try:
            piece = _Piecewise(file)
            events = defusedxml.ElementTree.iterparse(piece, ("start", "end"), forbid_dtd=True)
            for event, element in events:
                piece.since = 0
                name = local(element.tag)
                if event == "start":
                    above.append(element)
                    inside += name in wanted
                    if name in begun:
                        yield element
                    continue
                above.pop()
                if name in wanted:
                    yield element
                    inside -= 1
                if above and not inside:
                    above[-1].remove(element)
        except DefusedXmlException as error:
            raise Unreadable("declares entities or a document type, which are refused") from error
        except ParseError as error:
            line, column = error.position
            raise Unreadable(
                f"is no XML, or is cut off, at line {line}, column {column}"
            ) from error


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


def at(document: Any, path: str) -> Any:
    """What stands at ``a.b.0.c`` within nested objects and lists, or None."""
    for name in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(name)
        elif isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def said(value: Any) -> str:
    """A scalar as the text of a cell; null, lists and objects as nothing."""
    if value is None or isinstance(value, (list, Mapping)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def raw(
    reading: Reading,
    document: Any,
    columns: Mapping[str, str],
    place: str = "",
    line: int = 0,
    waived: tuple[str, ...] = (),
    **cells: str,
) -> Raw:
    """A row of a document: ``columns`` are our names to paths in it (``a.b.0.c``), ``cells`` further
    ones that are known already. An error then names the path."""
    found = {ours: said(at(document, path)) for ours, path in columns.items()}
    return Raw(reading.path, line, {**found, **cells}, None, waived, columns, place)


def broken(reading: Reading, reason: str, place: str = "", line: int = 0) -> Raw:
    """A row that says why a record could not be read."""
    return Raw(reading.path, line, {}, Fault("", reason), place=place)
