"""Scans of assets by others' tools: results of controls, put together until the scan is read.

Of several results of one control of one asset in one scan the worst counts, assessed when the newest was.
A result without an instant takes the latest one of its scan. What a scan says happened at that instant, and
a later scan does not take it back.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aggregators.compliance.fold import WORST_FIRST
from aggregators.vocabulary.fields import KEY, NAME, instant, printable
from ingest.documents import value_at
from ingest.reader import FormatInput, RawRecord

RANK = {result: rank for rank, result in enumerate(WORST_FIRST)}


class Assessed(NamedTuple):
    """A control of an asset; an empty asset where the file names none."""

    framework: str
    control: str
    asset: str


@dataclass(slots=True)
class _Standing:
    """The worst result so far, the newest instant, the earliest end of evidence, and where it began."""

    result: str
    assessed_at: str
    valid_until: str
    pointer: str


@dataclass(slots=True)
class Scan:
    """Results of one scan. ``called`` are the file's names of our columns, for errors."""

    reading: FormatInput
    called: Mapping[str, str] = field(default_factory=dict)
    ended: str = ""
    """The latest instant that is told of the scan."""
    _standing: dict[Assessed, _Standing] = field(default_factory=dict)

    def add(
        self,
        framework: str,
        control: str,
        asset: str,
        result: str,
        assessed_at: str,
        pointer: str = "",
        valid_until: str = "",
    ) -> None:
        """Adds a result; instants without an offset are those of the reading's zone."""
        named = self.reading.columns.get("framework", "") or framework
        key = Assessed(one_line(named, NAME), one_line(control, KEY), one_line(asset, KEY))
        when, until = self.reading.instant(assessed_at), self.reading.instant(valid_until)
        self.ends(when)
        known = self._standing.get(key)
        if known is None:
            self._standing[key] = _Standing(result, when, until, pointer)
            return
        known.result = min(known.result, result, key=RANK.__getitem__)
        known.assessed_at = latest(known.assessed_at, when)
        known.valid_until = min(filter(None, (known.valid_until, until)), default="", key=_order)

    def ends(self, instant_text: str) -> None:
        """Takes note of an instant of the scan."""
        self.ended = latest(self.ended, self.reading.instant(instant_text))

    def records(self) -> Iterator[RawRecord]:
        """A record for each control of each asset, in the order in which they were added."""
        for key, standing in self._standing.items():
            cells = {
                **key._asdict(),
                "result": standing.result,
                "assessed_at": self._instant(key, standing.assessed_at),
                "valid_until": standing.valid_until,
            }
            yield RawRecord(
                self.reading.path,
                0,
                cells,
                called=self.called,
                pointer=standing.pointer,
                at=cells["assessed_at"],
                event=True,
            )

    def _instant(self, key: Assessed, instant_text: str) -> str:
        """The instant of a result, the scan's where none was told that can be."""
        if not self.ended or _order(instant_text) > -math.inf:
            return instant_text
        if instant_text:
            self.reading.warn(
                f"{key.control}: the instant {printable(instant_text)} can not be, so that of the scan is"
                " taken"
            )
        return self.ended


def latest(one: str, other: str) -> str:
    """The later of two instants as they are told; one that can not be read is the earlier."""
    return max(one, other, key=_order)


def _order(instant_text: str) -> float:
    try:
        return instant(instant_text).timestamp()
    except ValueError:
        return -math.inf


def list_at(document: Any, path: str) -> list[Any]:
    """The list that stands at the path of a document; an empty one where none does."""
    items = value_at(document, path)
    return items if isinstance(items, list) else []


def one_line(name: str, limit: int) -> str:
    """A name on one line, its spaces single and its control characters gone; one that is too long ends in
    its digest, so that two such names stay two."""
    if not name.isprintable():
        name = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in name)
    name = " ".join(name.split())
    if len(name) <= limit:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{name[: limit - 17]}~{digest}"
