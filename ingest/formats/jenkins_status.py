"""Status pages in Markdown with front matter (cstate, as status.jenkins.io): a file, a folder of .md, or
a .tar.gz of them, which is read in place.

The key is the file's name. Severity down is p1, disrupted p2, notice p4; another word is read through the
workspace's mapping. Times without an offset are UTC. ``resolvedWhen`` counts where ``resolved`` is true;
without it the incident is over, at an instant that is unknown. Links in a folder are not followed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ingest import tarball
from ingest.documents import broken_row, content, yaml_documents
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord, UnreadableFile

SEVERITIES = {"down": "p1", "disrupted": "p2", "notice": "p4"}
LARGEST, MOST = 1024 * 1024, 100_000


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """An incident for each file. Raises UnreadableFile."""
    if reading.content is None and reading.path.is_dir():
        for path in sorted(reading.path.glob("*.md")):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
                yield _incident(reading, path.name, path.read_bytes())
    elif reading.path.name.endswith((".tar.gz", ".tgz")):
        yield from _archive(reading)
    else:
        yield _incident(reading, reading.path.name, content(reading, LARGEST))


def _archive(reading: FormatInput) -> Iterator[RawRecord]:
    """Plain files of an archive; nothing is unpacked to disk."""
    try:
        with reading.opened() as file:
            for member in tarball.files(file, ".md", LARGEST, MOST):
                name = Path(member.name).name
                if member.content is None:
                    yield broken_row(reading, "is over 1 MB", name)
                else:
                    yield _incident(reading, name, member.content)
    except (EOFError, zlib.error) as error:
        raise UnreadableFile(f"is no archive, or is cut off: {error}") from error


def _incident(reading: FormatInput, name: str, text: bytes) -> RawRecord:
    parts = text.split(b"---", 2)
    if len(parts) < 3 or parts[0].strip():
        return broken_row(reading, "has no front matter between two lines of ---", name)
    try:
        line, front = next(yaml_documents(parts[1]), (1, None))
    except UnreadableFile as error:
        return broken_row(reading, str(error), name)
    if not isinstance(front, dict):
        return broken_row(reading, "has no front matter", name)
    severity = str(front.get("severity", "")).lower()
    ended = _instant(front.get("resolvedWhen")) if front.get("resolved") else ""
    cells = {
        "key": name.removesuffix(".md"),
        "title": str(front.get("title", "")),
        "severity": SEVERITIES.get(severity, severity),
        "opened_at": _instant(front.get("date")),
        "resolved_at": ended,
        "over": "yes" if front.get("resolved") and not ended else "",
    }
    called = {"opened_at": "date", "resolved_at": "resolvedWhen"}
    return RawRecord(reading.path, line, cells, called=called, pointer=name)


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
