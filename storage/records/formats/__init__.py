"""The formats that records come in: a small registry, by name and by the look of a file.

A further format is a module with a ``FORMAT``, and its name in ``FORMATS``.
"""

from __future__ import annotations

from pathlib import Path

from storage.records.formats import csv, git_history, x509
from storage.records.formats.form import Format
from storage.records.kinds import Kind
from storage.records.reader import Unreadable

DEFAULT = csv.FORMAT
FORMATS = {form.name: form for form in (csv.FORMAT, git_history.FORMAT, x509.FORMAT)}


def choose(kind: Kind, path: Path, name: str | None = None) -> Format:
    """The format of that name, or the one that the file looks like, or CSV.

    Raises Unreadable when the format has no such kind.
    """
    if name is None:
        return next((f for f in FORMATS.values() if f.looks_like(kind, path)), DEFAULT)
    form = FORMATS[name]
    if kind.name not in form.readers:
        raise Unreadable(f"the format {name} has no {kind.name}: it has {', '.join(form.readers)}")
    return form
