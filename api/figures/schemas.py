"""Schemas of the dashboard's figures, generated from the declared domains."""

from __future__ import annotations

from typing import Any

from aggregators.catalogue import DOMAINS
from aggregators.pooling.contributions import ORDERS
from aggregators.signal.change import Verdict
from aggregators.vocabulary.measure import Origin
from aggregators.vocabulary.period import Compare
from storage.watch.tables import GRADES, SIGNAL_STATES

Json = dict[str, Any]


def nullable(kind: str, description: str = "") -> Json:
    """A value that may be missing: null, never 0."""
    return {"type": [kind, "null"], **({"description": description} if description else {})}


def ref(name: str) -> Json:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_schema(properties: Json, required: bool = True, **more: Any) -> Json:
    """An object with these properties, all of them required unless said otherwise."""
    made: Json = {"type": "object", "properties": properties, **more}
    if required:
        made["required"] = list(properties)
    return made


def with_compared(period: Json) -> Json:
    """A period with the days that it is compared with, null for none; ``compare`` says how they were
    chosen where somebody did."""
    previous = {"anyOf": [ref("Span"), {"type": "null"}]}
    made = object_schema({**period, "previous": previous})
    made["properties"]["compare"] = {"type": "string", "enum": [one.value for one in Compare]}
    return made


def schemas() -> Json:
    """Every schema by name."""
    figures = {
        f"{d.key.capitalize()}Measures": object_schema(
            {m.key: {**ref("Figure"), "description": m.definition} for m in d.measures}
        )
        for d in DOMAINS
    }
    any_measures = {"anyOf": [ref(name) for name in figures]}
    some_measures = {"type": "object", "additionalProperties": ref("Figure")}
    return {
        **figures,
        "Evidence": _evidence(),
        "Change": _change(),
        "Target": _target(),
        "Annotation": _annotation(),
        "Figure": _figure(),
        **_domain(any_measures, some_measures),
        "Answer": _answer(),
        "Dashboard": _dashboard(),
        **_signals(),
        **_companions(),
    }


def _signals() -> Json:
    """A drift."""
    text, number = {"type": "string"}, {"type": "number"}
    day = {"type": "string", "format": "date"}
    maybe_day = nullable("string", "A date; null: there is none")
    who = {"workspace": text, "name": text, "measure": text, "title": text, "href": text}
    return {
        "Drift": object_schema(
            {
                **who,
                "workspace": nullable("string", "Its slug; null: all in scope together"),
                "sentence": text,
                "grade": {"enum": list(GRADES)},
                "sure": {"type": "integer", "minimum": 2, "maximum": 4},
                "since": day,
                "give_or_take_days": {"type": "integer"},
                "opened_on": day,
                "ended_on": maybe_day,
                "is_new": {"type": "boolean"},
                "evidence": number,
                "usual": number,
                "now": number,
                "extra_in_28_days": number,
                "state": {"enum": list(SIGNAL_STATES)},
                "until": maybe_day,
                "note": text,
                "moved_with": {"type": "array", "items": ref("MovedFigure")},
                "services": {
                    "type": ["array", "null"],
                    "description": "Null where no workspace is asked for",
                    "items": ref("ServicePart"),
                },
            }
        ),
    }


def _companions() -> Json:
    """A count beyond its threshold; a figure that moved with a drift, and the part of a service."""
    text, number = {"type": "string"}, {"type": "number"}
    counted = object_schema({"numerator": number, "denominator": number})
    maybe_day = nullable("string", "A date; null: there is none")
    who = {"workspace": text, "name": text, "measure": text, "title": text, "href": text}
    return {
        "Fact": object_schema(
            {
                **who,
                "group": nullable("string"),
                "value": nullable("number"),
                "since": maybe_day,
            }
        ),
        "MovedFigure": object_schema(
            {
                "measure": text,
                "title": text,
                "value": nullable("number"),
                "previous": nullable("number"),
                "delta": nullable("number"),
                "verdict": {"enum": [verdict.value for verdict in Verdict]},
            }
        ),
        "ServicePart": object_schema(
            {
                "service": nullable("string", "null: deployments that name none"),
                "part": number,
                "now": counted,
                "previous": counted,
            }
        ),
    }


def _domain(any_measures: Json, some_measures: Json) -> Json:
    """A domain, its order and its workspaces."""
    text = {"type": "string"}
    return {
        "Workspace": object_schema(
            {
                "slug": text,
                "name": text,
                "rank": {"type": "integer", "description": "1 is the worst"},
                "rank_value": nullable(
                    "number",
                    "Ranked by this: the headline drawn towards the others, or its part in a change",
                ),
                "href": text,
                "measures": some_measures,
            }
        ),
        "Order": object_schema(
            {
                "measure": text,
                "by": {"enum": list(ORDERS)},
                "prior": nullable("string", "Prior of the ranked values; null: as they are shown"),
            }
        ),
        "Domain": object_schema(
            {
                "key": {"enum": [d.key for d in DOMAINS]},
                "title": text,
                "headline": text,
                "snapshot_at": nullable("string"),
                "measures": any_measures,
                "order": ref("Order"),
                "workspaces": {"type": "array", "items": ref("Workspace")},
            },
            required=False,
        ),
    }


def _answer() -> Json:
    text = {"type": "string"}
    return object_schema(
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


def _evidence() -> Json:
    return object_schema(
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


def _change() -> Json:
    """Schema of the test of a change."""
    interval = {
        "type": ["object", "null"],
        "description": "95 % of it: a difference of ratios, else the factor of change",
        "properties": {
            "low": {"type": "number"},
            "high": nullable("number", "null: without end, as nothing was there before"),
            "of": {"enum": ["difference", "factor"]},
        },
    }
    return object_schema(
        {
            "verdict": {"enum": [verdict.value for verdict in Verdict]},
            "z": nullable("number", "Standard errors, positive where the figure rose"),
            "phi": nullable("number", "How many times the sampling error the series scatters"),
            "interval": interval,
            "test": nullable("string", "null: nothing is sampled, or there is no comparison"),
        }
    )


def _annotation() -> Json:
    text, day = {"type": "string"}, {"type": "string", "format": "date"}
    return object_schema(
        {
            "id": text,
            "workspace": nullable("string", "null: of the organisation"),
            "about": nullable("string", "a domain or domain.measure; null: everything"),
            "first_day": day,
            "last_day": day,
            "text": text,
            "by": text,
            "at": text,
            "edited_at": nullable("string"),
        }
    )


def _target() -> Json:
    return {
        "type": ["object", "null"],
        "description": "What the value is to reach at the period's end; null where it has no target",
        "properties": {
            "value": {"type": "number"},
            "is_met_at": {"type": "boolean", "description": "whether the target itself is enough"},
            "met": nullable("boolean", "null: no data"),
            "set_by": {"enum": [origin.value for origin in Origin]},
            "since": nullable("string", "null: ever"),
        },
    }


def _figure() -> Json:
    """Schema of a figure."""
    return object_schema(
        {
            "title": {"type": "string"},
            "value": nullable("number"),
            "previous": nullable("number"),
            "delta": nullable("number", "null: no comparison"),
            "delta_unit": {"type": "string"},
            "delta_relative": nullable("number"),
            "change": ref("Change"),
            "unit": {"enum": ["count", "ratio", "seconds", "per_day", "burn", "days"]},
            "better": {"enum": ["higher", "lower"]},
            "status": {"enum": ["good", "watch", "bad", "no_data"]},
            "target": ref("Target"),
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
            "expected": _expected_points(),
            "group": {"type": "string"},
            "by": {"type": "object", "additionalProperties": ref("Figure")},
        },
        required=False,
    )


def _expected_points() -> Json:
    """Where the points of a series are expected."""
    ends = {"type": "array", "items": nullable("number")}
    outside = {"type": "array", "items": {"type": "boolean"}}
    return {
        "type": ["object", "null"],
        "description": "Central 95 % of each point of the series if nothing had changed"
        " since the days before; outside of the central 99 %. null: nothing is expected",
        "properties": {"low": ends, "high": ends, "outside": outside},
    }


def _dashboard() -> Json:
    """Schema of the dashboard."""
    day = {"type": "string", "format": "date"}
    count = {"type": "integer"}
    span = {"start": day, "end": day}
    period = {
        "preset": nullable("integer"),
        **span,
        "days": count,
        "series_step_days": count,
        "series_window_days": count,
    }
    scope = {
        "workspaces": count,
        "left_out": object_schema({"inactive": count, "other_region": count}),
        "unavailable": {"type": "array", "items": {"type": "string"}},
    }
    return object_schema(
        {
            "organisation": {"type": "string"},
            "time_zone": {"type": "string"},
            "as_of": nullable("string"),
            "snapshot_at": nullable("string"),
            "period": with_compared(period),
            "scope": object_schema(scope),
            "answers": {"type": "array", "items": ref("Answer")},
            "annotations": {"type": "array", "items": ref("Annotation")},
            "domains": {"type": "array", "items": ref("Domain")},
        }
    )
