"""OpenSLO v1 and v1alpha: each objective of a document of kind SLO.

Documents stand one after another, in YAML lists as OpenSLO's own SDK writes them, or in JSON. An
objective is its SLO's ``metadata.name``; where an SLO has several, the first keeps that name and the
further ones have their own behind it (NAME-OBJECTIVE, of their ``displayName``, in ASCII where that tells
them apart, else of their number): a further objective renames none. The target is ``target`` (a fraction)
or ``targetPercent``. Good and total per day come from ``slo-days``.

The window is the first ``timeWindow`` (v1) or ``timeWindows`` (v1alpha). Rolling ones are weeks, days,
hours as whole days. Calendar-aligned ones (``isRolling: false``) are the week, month, quarter or year in
the zone where figures are reported, whose budget begins anew on its first day; ``startTime`` and
``timeZone`` are left out, which is told. Several of them (``2M``) are read as rolling days, and told. By
the standard ``m`` is a minute and ``M`` a month. Other kinds of documents are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aggregators.records.kinds import Fault
from aggregators.vocabulary.fields import printable
from ingest.documents import (
    YAML,
    broken_row,
    cell_text,
    content,
    json_document,
    value_at,
    yaml_documents,
)
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord, UnreadableFile

DAYS = {"d": 1.0, "w": 7.0, "h": 1 / 24, "M": 30.0, "Q": 90.0, "Y": 365.0}
ALPHA_UNITS = {
    "second": "s",
    "minute": "m",
    "hour": "h",
    "day": "d",
    "week": "w",
    "month": "M",
    "quarter": "Q",
    "year": "Y",
}
CALENDARS = {
    "1w": "week",
    "7d": "week",
    "1M": "month",
    "1Q": "quarter",
    "3M": "quarter",
    "1Y": "year",
    "12M": "year",
}
TOO_SHORT = {
    "m": "is {count}m: m is a minute by the standard; a month is M, as in {count}M",
    "s": "is {count}s: s is a second by the standard; a window takes whole days",
}
NAMES = ("displayName", "name")


class SloDocument(NamedTuple):
    """A document, the line at which its file begins it, and the pointer to it within a list."""

    line: int
    pointer: str
    body: Any


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """An objective for each of every SLO."""
    for document in _documents(reading):
        if document.body is None:  # nothing stands between two separators
            continue
        kind = cell_text(value_at(document.body, "kind"))
        if kind != "SLO":
            where = f"line {document.line}" if document.line else document.pointer or "the document"
            reading.warn(f"left out {where}: of kind {kind[:40]!r}")
            continue
        objectives = value_at(document.body, "spec.objectives")
        if not isinstance(objectives, list) or not objectives:
            yield broken_row(reading, "spec.objectives is empty", document.pointer, document.line)
            continue
        suffixes = _suffixes(objectives)
        for objective, suffix in zip(objectives, suffixes, strict=True):
            yield _objective(reading, document, objective, suffix)


def _documents(reading: FormatInput) -> Iterator[SloDocument]:
    """The documents of a YAML or JSON file, those in lists one by one."""
    text = content(reading)
    if text.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        whole: Iterator[tuple[int, Any]] = iter([(0, json_document(reading))])
    elif len(text) > YAML:
        raise UnreadableFile(f"is over {YAML // 2**20} MB")
    else:
        whole = yaml_documents(text)
    for line, body in whole:
        listed = value_at(body, "items") if value_at(body, "kind") == "List" else body
        if not isinstance(listed, list):
            yield SloDocument(line, "", body)
            continue
        above = "" if isinstance(body, list) else "/items"
        for number, item in enumerate(listed):
            yield SloDocument(line, f"{above}/{number}", item)


def _suffixes(objectives: list[Any]) -> list[str]:
    """For each objective of an SLO the name behind its SLO's: none for the first, which keeps it."""
    suffixes = [""]
    further = [
        next((n for key in NAMES if (n := cell_text(value_at(objective, key)))), "").lower()
        for objective in objectives[1:]
    ]
    in_ascii = Counter(_hyphenated(name, re.ASCII) for name in dict.fromkeys(further))
    for number, name in enumerate(further, 2):
        plain = _hyphenated(name, re.ASCII)
        if not plain or in_ascii[plain] > 1:  # letters of other scripts tell them apart
            plain = _hyphenated(name)
        suffix = f"-{plain}" if plain else f"-{number}"
        suffixes.append(suffix if suffix not in suffixes else f"{suffix}-{number}")
    return suffixes


def _hyphenated(name: str, flags: int = 0) -> str:
    """A name's letters and digits, with one hyphen for whatever is between them."""
    return re.sub(r"(?:\W|_)+", "-", name, flags=flags).strip("-")


def _objective(
    reading: FormatInput, document: SloDocument, objective: Any, suffix: str
) -> RawRecord:
    """An objective of an SLO as a row; with a fault where its window or target can not be."""
    name = cell_text(value_at(document.body, "metadata.name"))
    title = cell_text(value_at(document.body, "metadata.displayName")) or name
    own = next(
        (n for key in NAMES if (n := cell_text(value_at(objective, key)))), suffix.lstrip("-")
    )
    cells = {
        "key": f"{name}{suffix}" if name else "",
        "name": f"{title}: {own}" if suffix else title,
        "target_percent": _percent(objective),
        **_window(reading, document.body, name),
    }
    path = "timeWindow" if value_at(document.body, "spec.timeWindow") else "timeWindows"
    called = {"window_days": f"spec.{path}.0", "key": "metadata.name"}
    short = re.fullmatch(r"(\d{1,5})([sm])", cells.get("window_days", ""))
    fault = short and Fault("window_days", TOO_SHORT[short[2]].format(count=short[1]))
    fault = fault or _no_fraction(objective)
    line = document.line
    return RawRecord(reading.path, line, cells, fault, called=called, pointer=document.pointer)


def _target(objective: Any) -> float | None:
    """The target where it is a number, in quotes or not; None where there is none."""
    target = value_at(objective, "target")
    if isinstance(target, bool):
        return None
    try:
        return float(target)
    except (TypeError, ValueError):
        return None


def _no_fraction(objective: Any) -> Fault | None:
    """The fault of a target over 1: by the standard it is a fraction."""
    target = _target(objective)
    if target is None or not target > 1:
        return None
    target_text = cell_text(value_at(objective, "target"))
    return Fault(
        "target",
        f"takes a fraction such as 0.999, got {printable(target_text)}; a percentage is targetPercent",
    )


def _percent(objective: Any) -> str:
    target = _target(objective)
    if target is not None:
        return f"{target * 100:.10g}"
    return cell_text(value_at(objective, "targetPercent")) or cell_text(
        value_at(objective, "target")
    )


def _window(reading: FormatInput, body: Any, name: str) -> dict[str, str]:
    """The cells of the window: a calendar's span, else its days; none where the document tells none."""
    window = value_at(body, "spec.timeWindow.0") or value_at(body, "spec.timeWindows.0")
    if not isinstance(window, Mapping):
        return {}
    duration = cell_text(window.get("duration")) or _alpha_duration(window)
    duration = re.sub(r"(?<=\d)[yq]$", lambda unit: unit[0].upper(), duration)
    rolls = window.get("isRolling")
    hours = re.fullmatch(r"(\d{1,5})h", duration)
    if hours and int(hours[1]) % 24:
        reading.warn(f"{name}: its window of {duration} is read as {_days(duration)} days")
    if rolls is True or (rolls is None and not window.get("calendar")):
        return {"window": "days", "window_days": _days(duration)}
    span = CALENDARS.get(duration)
    if span is None:
        if re.fullmatch(r"\d{1,5}[dwhMQY]", duration):
            reading.warn(f"{name}: its calendar window of {duration} is read as rolling days")
        return {"window": "days", "window_days": _days(duration)}
    if window.get("calendar"):
        begins = "Monday" if span == "week" else f"the first day of the {span}"
        reading.warn(
            f"{name}: its window begins on {begins} in the zone where figures are reported;"
            " startTime and timeZone are left out"
        )
    return {"window": span}


def _alpha_duration(window: Mapping[Any, Any]) -> str:
    """v1alpha's ``count`` and ``unit`` as a duration."""
    unit = cell_text(window.get("unit")).lower().removesuffix("s")
    return f"{cell_text(window.get('count'))}{ALPHA_UNITS.get(unit, unit)}"


def _days(duration: str) -> str:
    """4w as 28; what is no duration of days stays as it is, to be refused."""
    parts = re.fullmatch(r"(\d{1,5})([dwhMQY])", duration)
    if not parts or not int(parts[1]):
        return duration
    return str(max(1, round(int(parts[1]) * DAYS[parts[2]])))


FORMAT = Format(
    "openslo",
    {"slos": read},
    "OpenSLO v1 and v1alpha",
    sniff=lambda head: b"openslo/v1" in head,
)
