"""Probo's list of common third parties (JSON): vendors by name.

It says neither how critical a vendor is nor when it was reviewed: each is of tier 4 until a file of
one's own says otherwise. The key is the name in lower case with hyphens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ingest.documents import cell_text, json_items, value_at
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A vendor for each entry."""
    for pointer, vendor in json_items(reading):
        name = " ".join(cell_text(value_at(vendor, "name")).split())
        cells = {"key": _key(name), "name": name, "tier": "4"}
        yield RawRecord(reading.path, 0, cells, called={"key": "name"}, pointer=pointer)


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or name


FORMAT = Format(
    "probo",
    {"vendors": read},
    "Probo's third parties (JSON)",
    sniff=lambda head: b'"privacyPolicyUrl"' in head and b'"name"' in head,
)
