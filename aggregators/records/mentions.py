"""Mentions: what a sender's words about a record say of another one, by its key or its address.

A statement keeps, beside its fields, the sender's own labels, annotations and further fields, each by the
name of the format and the path (``alertmanager labels.pagerduty_incident``), and the record's own address
where the sender tells one. A rule of the workspace says which of these names a record that is the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from aggregators.records.statements import MENTIONS, Statement, tellings

LINK, SAME, OTHER = "link", "same", "other"
"""Subject of the words, and their meanings: the field names a record that is the same, or anything else."""
MOST, LONGEST, LONGEST_NAME = 60, 300, 160
"""Mentions of a statement; characters of a value and of a name."""
URL = re.compile(r"https?://[^\s<>\"'|\\]+", re.IGNORECASE)
AROUND = ".,;:!?)]}'\""
"""Characters after an address that are of the sentence around it."""


def pack_mentions(form: str, named: Mapping[str, object]) -> str:
    """Mentions as a statement keeps them: of each value that is one word, the word; of a sentence its first
    address; by the names after the form's. Empty without any."""
    kept: dict[str, str] = {}
    for name, value in sorted(named.items()):
        word = _word(value)
        called = " ".join(f"{form} {name}".split())
        if word and called.isprintable() and len(called) <= LONGEST_NAME and len(kept) < MOST:
            kept[called] = word
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) if kept else ""


def _word(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    if any(map(str.isspace, text)):
        address = URL.search(text)
        text = address[0].rstrip(AROUND) if address else ""
    return text if len(text) <= LONGEST and text.isprintable() else ""


def unpack_mentions(packed: object) -> dict[str, str]:
    """Mentions of a statement by name."""
    known: Any = json.loads(packed) if isinstance(packed, str) and packed else {}
    return {str(name): str(value) for name, value in known.items()}


def flat(value: Any, path: str, depth: int = 4) -> dict[str, object]:
    """Parts of a document by their paths, those of lists under the list's own, the first of each."""
    if isinstance(value, Mapping) and depth:
        each = [flat(part, f"{path}.{name}", depth - 1) for name, part in value.items()]
    elif isinstance(value, list) and depth:
        each = [flat(part, path, depth - 1) for part in value[:MOST]]
    else:
        return {path: value}
    return {name: part for parts in reversed(each) for name, part in parts.items()}


def normal_address(text: str) -> str:
    """An address as it is compared: without scheme, query, fragment and a slash at its end, the host in
    small letters. Empty where it is none."""
    try:
        parts = urlsplit(text.strip())
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host:
        return ""
    address = f"//{host}{parts.path.rstrip('/')}"
    return address if len(address) <= LONGEST else ""


def references(value: str) -> tuple[str, ...]:
    """Names that a mention may be, the surest first: a key that reads so, an address, and a key that is
    the last part of the address."""
    address = normal_address(value)
    last = unquote(address.rpartition("/")[2]) if address.count("/") > 2 else ""
    return tuple(dict.fromkeys(each for each in (value, address, last) if each))


def mentioned_values(
    statements: Sequence[Statement], names: Callable[[str], bool]
) -> Iterator[str]:
    """Values of the mentions with these names, the latest by the sender's clock first."""
    packed_tellings = tellings(statements).get(MENTIONS, ())
    for telling in sorted(packed_tellings, key=lambda each: each.order, reverse=True):
        for name, value in sorted(unpack_mentions(telling.value).items()):
            if names(name):
                yield value


def as_packed(cell: str) -> str:
    """Mentions as a format has packed them. Raises ValueError for anything else."""
    mentions = json.loads(cell)
    if not isinstance(mentions, dict) or not all(
        isinstance(value, str) for value in mentions.values()
    ):
        raise ValueError("takes names with a text each")
    return cell


def one_record(identity: str, statements: Sequence[Statement]) -> Mapping[str, Sequence[Statement]]:
    """All statements of an identity as those of its one record."""
    return {identity: statements}
