"""The formats that records come in: a module a format, found by its name and by the look of a file.

A further format is a further module in this folder with a ``FORMAT``; nothing else lists them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from storage.records.formats.form import Format
from storage.records.kinds import Kind
from storage.records.reader import Reading, Unreadable


def _found() -> dict[str, Format]:
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    forms = (vars(module).get("FORMAT") for module in modules)
    return {form.name: form for form in forms if isinstance(form, Format)}


FORMATS = dict(sorted(_found().items()))
DEFAULT = FORMATS["csv"]
INGESTED = {name: form for name, form in FORMATS.items() if form.ingest}
"""Those that the API takes as events."""


def choose(kind: Kind, reading: Reading, name: str | Format | None = None) -> Format:
    """The format, or the one of that name, or the one that the file looks like, or CSV.

    Raises Unreadable when the format has no such kind.
    """
    if name is None:
        return next((f for f in FORMATS.values() if f.looks_like(kind, reading)), DEFAULT)
    form = FORMATS[name] if isinstance(name, str) else name
    if kind.name not in form.readers:
        raise Unreadable(
            f"the format {form.name} has no {kind.name}: it has {', '.join(form.readers)}"
        )
    return form
