"""The formats that records come in: a module a format, found by its name and by the look of a file.

A further format is a further module in this folder with a ``FORMAT``; nothing else lists them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import parse_qs

from aggregators.records.kinds import RecordKind
from ingest.formats.form import Format
from ingest.formats.strangers import stranger
from ingest.reader import HEAD, FormatInput, UnreadableFile


def _formats_by_name() -> dict[str, Format]:
    """Every module's format, by name."""
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    forms = (vars(module).get("FORMAT") for module in modules)
    return {form.name: form for form in forms if isinstance(form, Format)}


FORMATS = dict(sorted(_formats_by_name().items()))
DEFAULT = FORMATS["csv"]
INGESTED = {name: form for name, form in FORMATS.items() if form.ingest}
"""Formats that the API takes as events."""


def choose(kind: RecordKind, reading: FormatInput, name: str | Format | None = None) -> Format:
    """The format, or the one of that name, or the one that the file looks like, or CSV.

    Raises UnreadableFile when the format has no such kind.
    """
    if name is None:
        return next((f for f in FORMATS.values() if f.looks_like(kind, reading)), DEFAULT)
    form = FORMATS[name] if isinstance(name, str) else name
    if kind.name not in form.readers:
        raise UnreadableFile(
            f"the format {form.name} has no {kind.name}: it has {', '.join(form.readers)}"
        )
    return form


def recognise_format(
    kind: RecordKind, reading: FormatInput, name: str | Format | None = None
) -> Format:
    """As ``choose``. Raises UnreadableFile too, saying what it is, where a file that looks like no format
    looks like no CSV either."""
    form = choose(kind, reading, name)
    if (
        name is not None
        or form is not DEFAULT
        or (reading.content is None and reading.path.is_dir())
    ):
        return form
    with reading.opened() as file:
        head = file.read(HEAD)
    names = [f.name for f in FORMATS.values() if kind.name in f.readers and f is not DEFAULT]
    if reason := stranger(kind, head, names):
        raise UnreadableFile(reason)
    return form


def unwrap_form(content: bytes, content_type: str) -> bytes:
    """The document of a body: of a form, its field ``payload``, as GitHub sends hooks whose content type
    was left at the first of the two that it offers."""
    if not content_type.lower().startswith("application/x-www-form-urlencoded"):
        return content
    fields = parse_qs(content.decode("utf-8", "surrogateescape"), max_num_fields=100)
    payload = fields.get("payload", [""])[0]
    return payload.encode("utf-8", "surrogateescape") if payload else content
