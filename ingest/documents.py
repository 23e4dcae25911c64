"""Reading documents (JSON, YAML, XML) that others wrote: bounded, safe, errors with their position."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import ijson
import yaml
from defusedxml import DefusedXmlException

from aggregators.records.kinds import Fault
from aggregators.vocabulary.fields import KEY, any_instant
from ingest.reader import FormatInput, RawRecord, UnreadableFile, small_array

LARGEST = 32 * 1024 * 1024
"""Bytes of a document that is read as a whole."""
LONGEST = 8 * 1024 * 1024
"""Bytes of one record in a stream of them."""
DEEPEST = 200
YAML = 1024 * 1024
"""Bytes of a YAML file: it costs five hundred times its size to read, and specs take kilobytes."""
MOST_PARTS = 1_000_000
"""Parts of a YAML document, each alias written out."""


def content(reading: FormatInput, most: int = LARGEST) -> bytes:
    """The whole file. Raises UnreadableFile when it is larger than ``most``."""
    with reading.opened() as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UnreadableFile(f"is over {most // 2**20} MB")
    return content


def json_document(reading: FormatInput) -> Any:
    """The file as one JSON document. Raises UnreadableFile with line and column."""
    try:
        return json.loads(content(reading))
    except json.JSONDecodeError as error:
        pointer = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFile(f"is no JSON, or is cut off: {error.msg} at {pointer}") from error
    except (ValueError, RecursionError) as error:  # also an integer of thousands of digits
        raise UnreadableFile(f"is no JSON: {str(error)[:120]}") from error


def json_items(reading: FormatInput) -> Iterator[tuple[str, Any]]:
    """The records of a JSON array, of JSON lines, or the one object of the file, each with its place
    (a JSON pointer, or a line). A stream: only one record is held. A form whose field ``payload`` holds
    the JSON is unwrapped. Raises UnreadableFile where it breaks, and where it holds no objects."""
    with reading.opened() as file:
        head = file.read(4096)
    if head.startswith(FORM):
        unwrapped = _payload(content(reading))
        reading, head = replace(reading, content=unwrapped), unwrapped[:4096]
    if head.startswith(UTF16):
        reading = replace(reading, content=_utf16_to_utf8(content(reading)))
        head = (reading.content or b"")[:4096]
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first == b"[":
        at_once = small_array(reading.content or b"", DEEPEST)
        every = enumerate(at_once) if at_once is not None else enumerate(_array(reading))
        yield from _only_objects((f"/{number}", item) for number, item in every)
    elif first == b"{":
        yield from _only_objects(_objects(reading))
    else:
        raise UnreadableFile("is no JSON: it begins with neither { nor [")


def _utf16_to_utf8(body: bytes) -> bytes:
    """UTF-16, as PowerShell redirects output, in UTF-8. Raises UnreadableFile."""
    try:
        return body.decode("utf-16").encode()
    except UnicodeError as error:
        raise UnreadableFile(f"begins as UTF-16 and is none: {str(error)[:120]}") from error


FORM = b"payload="
UTF16 = (b"\xff\xfe", b"\xfe\xff")
NO_OBJECTS = 100
"""Things that are no objects, which a file of objects may hold before it is given up."""


def _payload(form: bytes) -> bytes:
    """The JSON of a form-encoded body. Raises UnreadableFile."""
    try:
        given = parse_qs(form.decode("ascii"), max_num_fields=20, errors="strict")
        return given["payload"][0].encode()
    except (ValueError, KeyError) as error:
        raise UnreadableFile(f"is a form without a readable field payload: {error}") from error


def _only_objects(items: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The items, up to so many things that are no objects: a megabyte of ones is no list of events."""
    others = 0
    for pointer, item in items:
        others += not isinstance(item, Mapping)
        if others > NO_OBJECTS:
            raise UnreadableFile(f"holds more than {NO_OBJECTS} things that are no objects")
        yield pointer, item


def _array(reading: FormatInput) -> Iterator[Any]:
    done = 0
    with reading.opened() as file:
        piece = _Piecewise(file)
        try:
            for item in _items(ijson.basic_parse(piece, use_float=True)):
                yield item
                done += 1
                piece.since = 0
        except (ijson.JSONError, ValueError) as error:
            reason = str(error).splitlines()[0][:120]
            raise UnreadableFile(
                f"is no JSON, or is cut off, after record {done}: {reason}"
            ) from error


def _items(events: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    """The items of the array that the events are of. ijson's own ``items`` keeps the path of each level:
    a megabyte of opened brackets would take gigabytes."""
    depth, builder = 0, ijson.ObjectBuilder()
    for event, value in events:
        depth += event.startswith("start_") - event.startswith("end_")
        if depth > DEEPEST:
            raise UnreadableFile(f"nests more than {DEEPEST} levels deep")
        if not depth or (depth == 1 and event == "start_array"):
            continue  # the array itself
        builder.event(event, value)
        if depth == 1:
            yield builder.value
            builder = ijson.ObjectBuilder()


class _Piecewise:
    """A file that ends with UnreadableFile when a record or a token of it grows too long: expat takes the
    square of its length in time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.since = file, 0

    def read(self, size: int) -> bytes:
        """As of any file."""
        piece = self._file.read(size)
        self.since += len(piece)
        if self.since > LONGEST + size:
            raise UnreadableFile(f"holds more than {LONGEST // 2**20} MB in one piece")
        return piece


def _objects(reading: FormatInput) -> Iterator[tuple[str, Any]]:
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
                raise UnreadableFile(f"line {number} is no JSON: {str(error)[:120]}") from error


def text_lines(reading: FormatInput) -> Iterator[str]:
    """The lines of a UTF-8 text, one held at a time. Raises UnreadableFile with the line."""
    with reading.opened() as file:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise UnreadableFile(f"line {number} is over {LONGEST // 2**20} MB")
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise UnreadableFile(
                    f"is not UTF-8 at line {number}, byte {error.start}"
                ) from error


def yaml_documents(
    text: bytes, loading: type[yaml.SafeLoader] | type[yaml.BaseLoader] = yaml.SafeLoader
) -> Iterator[tuple[int, Any]]:
    """The documents of a YAML file with the line each begins at; with the BaseLoader every scalar is text.
    Raises UnreadableFile with the line."""
    try:
        for node in yaml.compose_all(text, loading):
            if node is not None:
                _written_out(node, {})
                loader = loading("")
                yield node.start_mark.line + 1, loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        pointer = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its beginning"
        raise UnreadableFile(f"is no YAML: {error.problem} at {pointer}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableFile(f"is no YAML: {str(error)[:120]}") from error


def _written_out(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Parts of a document with each alias written out; a hundred bytes can stand for a billion, and whoever
    walks through them would never end. Raises UnreadableFile where there are too many, or no end."""
    size = sizes.get(id(node))
    if size == 0:
        raise UnreadableFile("is no YAML that can be read: a part of it holds itself")
    if size is not None:
        return size
    sizes[id(node)], inner = 0, []
    if isinstance(node, yaml.SequenceNode):
        inner = node.value
    elif isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    size = 1 + sum(_written_out(part, sizes) for part in inner)
    if size > MOST_PARTS:
        raise UnreadableFile(
            f"is no YAML that can be read: it stands for over {MOST_PARTS:,} parts"
        )
    sizes[id(node)] = size
    return size


def xml_elements(
    reading: FormatInput,
    wanted: Collection[str],
    begun: Collection[str] = (),
    ended: Collection[str] = (),
) -> Iterator[Element]:
    """The elements whose local name is ``wanted``, whole; those ``begun`` as soon as they begin, with
    their attributes alone, and once more at their end where they are ``ended`` too. Only what is inside a
    wanted one is held. Entities and document types are refused. Raises UnreadableFile."""
    above: list[Element] = []
    inside = 0
    with reading.opened() as file:
        try:
            piece = _Piecewise(file)
            events = defusedxml.ElementTree.iterparse(piece, ("start", "end"), forbid_dtd=True)
            for event, element in events:
                piece.since = 0
                name = local_name(element.tag)
                if event == "start":
                    above.append(element)
                    inside += name in wanted
                    if name in begun:
                        yield element
                    continue
                above.pop()
                if name in wanted or name in ended:
                    yield element
                    inside -= name in wanted
                if above and not inside:
                    above[-1].remove(element)
        except DefusedXmlException as error:
            raise UnreadableFile(
                "declares entities or a document type, which are refused"
            ) from error
        except ParseError as error:
            line, column = error.position
            raise UnreadableFile(
                f"is no XML, or is cut off, at line {line}, column {column}"
            ) from error


def local_name(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


def value_at(document: Any, path: str) -> Any:
    """Value at ``a.b.0.c`` within nested objects and lists, or None."""
    for name in path.split("."):
        if type(document) is dict or isinstance(document, Mapping):  # the common case, quickly
            document = document.get(name)
        elif isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def cell_text(value: Any) -> str:
    """A scalar as the text of a cell; null, lists and objects as nothing."""
    if value is None or isinstance(value, (list, Mapping)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def raw_row(
    reading: FormatInput,
    document: Any,
    columns: Mapping[str, str],
    pointer: str = "",
    line: int = 0,
    waived: tuple[str, ...] = (),
    **cells: str,
) -> RawRecord:
    """A row of a document: ``columns`` are our names to paths in it (``a.b.0.c``), ``cells`` further
    ones that are known already. An error then names the path."""
    read = {ours: cell_text(value_at(document, path)) for ours, path in columns.items()}
    return RawRecord(reading.path, line, {**read, **cells}, None, waived, columns, pointer)


def record(
    reading: FormatInput,
    document: Any,
    columns: Mapping[str, str],
    pointer: str,
    cells: Mapping[str, str],
) -> RawRecord:
    """As ``raw_row``, with the cells in a mapping."""
    read = {ours: cell_text(value_at(document, path)) for ours, path in columns.items()}
    return RawRecord(reading.path, 0, {**read, **cells}, called=columns, pointer=pointer)


def broken_row(reading: FormatInput, reason: str, pointer: str = "", line: int = 0) -> RawRecord:
    """A row that says why a record could not be read."""
    return RawRecord(reading.path, line, {}, Fault("", reason), pointer=pointer)


@dataclass(slots=True)
class LeftOut:
    """Parts of a file that a format leaves out, by reason: told once each, with their number."""

    reading: FormatInput
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str) -> None:
        """Counts one."""
        if len(self.reasons) < NO_OBJECTS or reason in self.reasons:
            self.reasons[reason] += 1
        else:
            self.reasons["others"] += 1

    def tell(self) -> None:
        """Warns of them."""
        for reason, count in self.reasons.items():
            many = f" ({count:,} times)" if count > 1 else ""
            self.reading.warn(f"left out {reason}{many}")


def event(record: RawRecord, at: str, sequence: int = 0) -> RawRecord:
    """A record as what happened at an instant of the sender's clock."""
    return record._replace(event=True, at=at, sequence=sequence)


def sender_order(value: Any) -> int:
    """A number of a sender as its own order among equal instants; 0 where it is none that fits."""
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62
        else 0
    )


def epoch(value: Any) -> str:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970 as an instant; other text as it is."""
    text = cell_text(value)
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        return text
    seconds = float(text)
    while seconds > 1e11:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def earliest_instant(*instants: str) -> str:
    """The first of the instants that can be read; where none can, the first that is told."""
    known = []
    for instant_text in instants:
        try:
            known.append((any_instant(instant_text), instant_text))
        except ValueError:
            continue
    return min(known)[1] if known else next(filter(None, instants), "")


_OF_KEYS = re.compile("#|%2[35]")


def qualified_key(source: str, name: str) -> str:
    """A key that is unique only to its source, with it; too long a one ends in its digest. A # of the name
    itself is written as %23, so that no other source and name have the same key."""
    if _OF_KEYS.search(name):
        name = name.replace("%", "%25").replace("#", "%23")
    key = f"{source}#{name}" if source else name
    if len(key) <= KEY:
        return key
    return f"{key[: KEY - 33]}~{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
