"""Schemas of the payloads about workspaces, records, answers and definitions."""

from __future__ import annotations

from typing import Any

from aggregators.vocabulary.listing import ColumnType
from aggregators.vocabulary.measure import Better, Unit
from api.figures.schemas import nullable, object_schema, ref, with_compared
from auth.membership import ORDER

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
DAY: Json = {"type": "string", "format": "date"}
COUNT: Json = {"type": "integer"}
MAYBE_DAY = nullable("string", "A date; null before the first snapshot")
CELL: Json = {"type": ["string", "number", "boolean", "null"]}


def payload_schemas() -> Json:
    """Every schema by name."""
    return {
        "Workspaces": object_schema({"workspaces": _list(ref("MyWorkspace"))}),
        "MyWorkspace": object_schema({"slug": TEXT, "name": TEXT, "role": {"enum": list(ORDER)}}),
        "Span": object_schema({"start": DAY, "end": DAY}),
        "WorkspaceFigures": _workspace(),
        "WorkspacePeriod": _period(),
        "Records": _records(),
        "RecordsColumn": object_schema(
            {"key": TEXT, "title": TEXT, "type": {"enum": [t.value for t in ColumnType]}}
        ),
        "Why": _why(),
        "Definitions": object_schema({"domains": _list(ref("DomainDefinition"))}),
        "DomainDefinition": _domain(),
        "MeasureDefinition": _measure(),
        "CountsAs": object_schema({"thing": TEXT, "rule": TEXT}),
    }


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


def _or_null(name: str, meaning: str) -> Json:
    return {"anyOf": [ref(name), {"type": "null"}], "description": meaning}


def _period() -> Json:
    days = {"preset": nullable("integer"), "start": DAY, "end": DAY, "days": COUNT}
    return with_compared(days)


def _workspace() -> Json:
    return object_schema(
        {
            "workspace": TEXT,
            "name": TEXT,
            "role": TEXT,
            "domain": TEXT,
            "title": TEXT,
            "headline": TEXT,
            "time_zone": TEXT,
            "as_of": MAYBE_DAY,
            "snapshot_at": nullable("string"),
            "period": ref("WorkspacePeriod"),
            "href": TEXT,
            "measures": {"type": "object", "additionalProperties": ref("Figure")},
        }
    )


def _records() -> Json:
    row: Json = {"type": "object", "additionalProperties": CELL, "description": "By column key"}
    return object_schema(
        {
            "title": TEXT,
            "about": TEXT,
            "narrowed": nullable("string", "In words, to what the parameters narrow the list"),
            "start": MAYBE_DAY,
            "end": MAYBE_DAY,
            "offset": COUNT,
            "total": nullable("integer", "null: more than a thousand, and not counted"),
            "columns": _list(ref("RecordsColumn")),
            "rows": _list(row),
        }
    )


def _why() -> Json:
    return object_schema(
        {
            "answer": ref("Answer"),
            "domain": nullable("string"),
            "measure": nullable("string"),
            "definition": nullable("string"),
            "figure": _or_null("Figure", "null: the answer names no workspace"),
            "as_of": MAYBE_DAY,
            "records": _or_null("Records", "null: you see totals, not rows"),
        }
    )


def _domain() -> Json:
    return object_schema(
        {
            "key": TEXT,
            "title": TEXT,
            "headline": TEXT,
            "group": nullable("string", "Column that names a group: one figure each, never pooled"),
            "workspace_page": TEXT,
            "measures": _list(ref("MeasureDefinition")),
            "counts_as": _list(ref("CountsAs")),
        }
    )


def _measure() -> Json:
    return object_schema(
        {
            "key": TEXT,
            "title": TEXT,
            "kind": TEXT,
            "unit": {"enum": [unit.value for unit in Unit]},
            "better": {"enum": [better.value for better in Better]},
            "definition": TEXT,
            "watch": nullable("number", "First value, towards worse, that deserves a look"),
            "bad": nullable("number", "First value, towards worse, that is off target"),
        }
    )
