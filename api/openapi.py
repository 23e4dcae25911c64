"""The OpenAPI 3.1 document, generated from the declared domains."""

from __future__ import annotations

from functools import cache
from typing import Any

from aggregators.domains import DOMAINS
from aggregators.period import PRESETS
from api.encode import FULL_UP_TO
from api.problem import CODES, TITLES

Json = dict[str, Any]
ERRORS = (401, 403, 422, 429, 500, 503)


def nullable(kind: str, description: str = "") -> Json:
    """A value that may be missing: null, never 0."""
    return {"type": [kind, "null"], **({"description": description} if description else {})}


def ref(name: str) -> Json:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, required: bool = True, **more: Any) -> Json:
    made: Json = {"type": "object", "properties": properties, **more}
    if required:
        made["required"] = list(properties)
    return made


@cache
def document() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vigilo Executive",
            "version": "1",
            "description": "How is the whole organisation doing? Over every workspace where the caller "
            "holds platform_admin, from end-of-day snapshots. Durations are seconds, ratios 0 to 1, "
            "days dates, instants UTC. Missing is null, never 0.",
        },
        "paths": {"/api/v1/platform/executive-dashboard/": {"get": _operation()}},
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "vigilo"},
            },
            "schemas": schemas(),
        },
        "security": [{"token": []}, {"session": []}],
    }


def _operation() -> Json:
    problems = {
        str(status): {
            "description": f"{TITLES[status]}: code {CODES[status]}",
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
        for status in ERRORS
    }
    problems["403"]["description"] = "Not allowed: code platform_admin_required"
    return {
        "operationId": "executiveDashboard",
        "summary": "The executive dashboard",
        "parameters": _parameters(),
        "responses": {
            "200": {
                "description": "Figures, answers and workspaces, worst first",
                "headers": {"ETag": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": ref("Dashboard")}},
            },
            "304": {"description": "Nothing has changed since the ETag given in If-None-Match"},
            **problems,
        },
    }


def _parameters() -> list[Json]:
    def query(name: str, schema: Json, description: str, **more: Any) -> Json:
        return {"name": name, "in": "query", "schema": schema, "description": description, **more}

    day = {"type": "string", "format": "date"}
    count = {"type": "integer", "minimum": 0, "maximum": 999999}
    keys = {"type": "array", "items": {"enum": [d.key for d in DOMAINS]}}
    return [
        query(
            "period", {"enum": list(PRESETS), "default": 28}, "The last days; not with start, end"
        ),
        query("start", day, "First day of a range of at most 366 days"),
        query("end", day, "Last day of the range, included"),
        query("domain", keys, "Only these domains; repeatable", explode=True, style="form"),
        query("workspaces", {"enum": [0, 1], "default": 1}, "0 leaves the breakdown out"),
        query(
            "detail",
            {"enum": ["full", "brief"]},
            "full: every measure of every workspace, with its series; brief: the measures that cards and "
            f"tables show, their series empty. Full up to {FULL_UP_TO} workspaces, brief beyond",
        ),
        query(
            "limit",
            {**count, "minimum": 1},
            "At most so many workspaces a domain; all if absent",
        ),
        query("offset", count, "So many of the worst are left out before"),
    ]


def schemas() -> Json:
    """Every schema by name."""
    text = {"type": "string"}
    figures = {
        f"{d.key.capitalize()}Measures": _object(
            {m.key: {**ref("Figure"), "description": m.definition} for m in d.measures}
        )
        for d in DOMAINS
    }
    any_measures = {"anyOf": [ref(name) for name in figures]}
    some_measures = {"type": "object", "additionalProperties": ref("Figure")}
    return {
        **figures,
        "Evidence": _evidence(),
        "Figure": _figure(),
        "Workspace": _object(
            {
                "slug": text,
                "name": text,
                "rank": {"type": "integer", "description": "1 is the worst"},
                "href": text,
                "measures": some_measures,
            }
        ),
        "Domain": _object(
            {
                "key": {"enum": [d.key for d in DOMAINS]},
                "title": text,
                "headline": text,
                "snapshot_at": nullable("string"),
                "measures": any_measures,
                "workspaces": {"type": "array", "items": ref("Workspace")},
            },
            required=False,
        ),
        "Answer": _answer(),
        "Dashboard": _dashboard(),
        "Problem": _problem(),
    }


def _answer() -> Json:
    text = {"type": "string"}
    return _object(
        {
            "key": text,
            "question": text,
            "sentence": text,
            "found": {"type": "boolean"},
            "workspace": nullable("string"),
            "href": nullable("string"),
            "evidence": {"type": "object"},
        }
    )


def _problem() -> Json:
    text = {"type": "string"}
    return _object(
        {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "code": text,
            "detail": text,
            "request_id": text,
            "field": {**text, "description": "The parameter that is wrong"},
        },
        required=False,
    )


def _evidence() -> Json:
    return _object(
        {
            "numerator": nullable("number"),
            "denominator": nullable("number"),
            "n": nullable("number"),
            "days_seen": {"type": "integer"},
            "days_expected": {"type": "integer"},
            "name": {"type": "string", "description": "The object that holds an extreme"},
            "workspace": {"type": "string"},
        },
        required=False,
    )


def _figure() -> Json:
    return _object(
        {
            "title": {"type": "string"},
            "value": nullable("number"),
            "previous": nullable("number"),
            "delta": nullable("number", "null: no comparison"),
            "delta_unit": {"type": "string"},
            "delta_relative": nullable("number"),
            "unit": {"enum": ["count", "ratio", "seconds", "per_day", "burn", "days"]},
            "better": {"enum": ["higher", "lower"]},
            "status": {"enum": ["good", "watch", "bad", "no_data"]},
            "low_sample": {"type": "boolean"},
            "over_budget": {"type": "boolean", "description": "an infinite burn; value is null"},
            "band": nullable("string", "benchmark band with its edition"),
            "evidence": ref("Evidence"),
            "series": {
                "type": "array",
                "maxItems": 60,
                "items": {
                    "type": "array",
                    "prefixItems": [{"type": "string", "format": "date"}, nullable("number")],
                },
            },
            "group": {"type": "string"},
            "by": {"type": "object", "additionalProperties": ref("Figure")},
        },
        required=False,
    )


def _dashboard() -> Json:
    day = {"type": "string", "format": "date"}
    count = {"type": "integer"}
    span = {"start": day, "end": day}
    period = {
        "preset": nullable("integer"),
        **span,
        "days": count,
        "previous": _object(span),
        "series_step_days": count,
        "series_window_days": count,
    }
    scope = {
        "workspaces": count,
        "left_out": _object({"inactive": count, "other_region": count}),
        "unavailable": {"type": "array", "items": {"type": "string"}},
    }
    return _object(
        {
            "organisation": {"type": "string"},
            "time_zone": {"type": "string"},
            "as_of": nullable("string"),
            "snapshot_at": nullable("string"),
            "period": _object(period),
            "scope": _object(scope),
            "answers": {"type": "array", "items": ref("Answer")},
            "domains": {"type": "array", "items": ref("Domain")},
        }
    )
