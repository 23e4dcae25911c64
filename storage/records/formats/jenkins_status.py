"""Status pages in Markdown with front matter (cstate, as status.jenkins.io): a file, a folder of .md, or
a .tar.gz of them, which is read in place.

The key is the file's name. Severity down becomes p1, disrupted p2, notice p4. Times without an offset are
UTC. ``resolvedWhen`` counts where ``resolved`` is true. Links in a folder are not followed.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from storage.records.documents import broken, content, yaml_documents
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading, Unreadable

SEVERITIES = {"down": "p1", "disrupted": "p2", "notice": "p4"}
LARGEST, MOST = 1024 * 1024, 100_000


def read(reading: Reading) -> Iterator[Raw]:
    """An incident for each file. Raises Unreadable."""
    if reading.content is None and reading.path.is_dir():
        for path in sorted(reading.path.glob("*.md")):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
                yield _incident(reading, path.name, path.read_bytes())
    elif reading.path.name.endswith((".tar.gz", ".tgz")):
        yield from _archive(reading)
    else:
        yield _incident(reading, reading.path.name, content(reading, LARGEST))


def _archive(reading: Reading) -> Iterator[Raw]:
    """Plain files of an archive; nothing is unpacked to disk."""
    try:
        with reading.opened() as file, tarfile.open(fileobj=file, mode="r|") as archive:
            for number, member in enumerate(archive):
                if number >= MOST:
                    raise Unreadable(f"holds more than {MOST:,} files")
                if not member.isfile() or not member.name.endswith(".md"):
                    continue
                name = Path(member.name).name
                if member.size > LARGEST:
                    yield broken(reading, "is over 1 MB", name)
                elif (found := archive.extractfile(member)) is not None:
                    yield _incident(reading, name, found.read())
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Unreadable(f"is no archive, or is cut off: {error}") from error


def _incident(reading: Reading, name: str, text: bytes) -> Raw:
    parts = text.split(b"---", 2)
    if len(parts) < 3 or parts[0].strip():
        return broken(reading, "has no front matter between two lines of ---", name)
    try:
        line, front = next(yaml_documents(parts[1]), (1, None))
    except Unreadable as error:
        return broken(reading, str(error), name)
    if not isinstance(front, dict):
        return broken(reading, "has no front matter", name)
    severity = str(front.get("severity", "")).lower()
    if severity not in SEVERITIES:
        return broken(reading, f"severity is unknown: {severity[:40]!r}", name)
    cells = {
        "key": name.removesuffix(".md"),
        "title": " ".join(str(front.get("title", "")).split()),
        "severity": SEVERITIES[severity],
        "opened_at": _instant(front.get("date")),
        "resolved_at": _instant(front.get("resolvedWhen")) if front.get("resolved") else "",
    }
    called = {"opened_at": "date", "resolved_at": "resolvedWhen"}
    return Raw(reading.path, line, cells, called=called, place=name)


def _instant(given: Any) -> str:
    """A date or time of YAML as an instant, UTC where it says no offset."""
    if isinstance(given, datetime):
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).isoformat()
    if isinstance(given, date):
        return f"{given.isoformat()}T00:00:00Z"
    return "" if given is None else str(given)


FORMAT = Format(
    "jenkins-status", {"incidents": read}, "Markdown incidents with front matter (cstate)"
)
