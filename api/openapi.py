"""The OpenAPI 3.1 document: every operation that a route declares, with what the gate asks and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from pydantic import BaseModel
from werkzeug.routing import Rule

from api.figures import schemas as figure_schemas
from api.figures.payload_schemas import payload_schemas
from web.forms import schema_of
from web.guard import CHANGING, ROUTES, Needs
from web.operation import FORMS, Json, Operation, Outcome
from web.problem import CODES, TITLES

TEMPLATE = "#/components/schemas/{model}"
SIGNED_IN = ("session",)
SECURITY = {
    Needs.NOTHING: (),
    Needs.SIGN_IN: SIGNED_IN,
    Needs.SIGN_IN_OR_TOKEN: ("token", "session"),
    Needs.TOKEN: ("token",),
    Needs.BY_PATH: SIGNED_IN,
}
SCHEMES: Json = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of `flask --app app token create EMAIL`; for deliveries with `--ingest SLUG`",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "vigilo"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hub-Signature-256",
        "description": "HMAC of the body, or the header of the format's own sender",
    },
}
ABOUT = (
    "How is the whole organisation doing? Over every workspace where the caller holds platform_admin, from "
    "end-of-day snapshots. Durations are seconds, ratios 0 to 1, days dates, instants UTC. Missing is "
    "null, never 0. Changes need the session's token in X-CSRFToken, but for deliveries."
)
CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
TYPES: Json = {
    "UUIDConverter": {"type": "string", "format": "uuid"},
    "PlainInteger": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
}


def document(app: Flask) -> Json:
    """Document of the application's routes. Needs its context."""
    paths: dict[str, Json] = {}
    components = figure_schemas.schemas() | payload_schemas() | {"Problem": _problem()}
    for rule, method, operation in operations(app):
        described = _operation(app, rule, method, operation, components)
        paths.setdefault(CONVERTER.sub(r"{\1}", rule.rule), {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vigilo Executive", "version": "1", "description": ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {"securitySchemes": SCHEMES, "schemas": components},
    }


def operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    """Operations that the routes declare, each with its rule and method."""
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if operation is not None:
                yield rule, method, operation


PAGES = ("/ws", "/exports", "/account", "/platform", "/admin", "/first-run", "/invitation")
"""Beginnings of the paths whose problems are pages where a browser asks."""


def _operation(app: Flask, rule: Rule, method: str, operation: Operation, components: Json) -> Json:
    """Description of one operation; schemas that it names are added to ``components``."""
    needs = ROUTES[rule.endpoint]
    schemes = SECURITY[needs] if operation.security is None else operation.security
    has_page = rule.rule.startswith(PAGES)
    answers = {
        str(status): _outcome(o, components) for status, o in sorted(operation.answers.items())
    }
    problems = {str(s): _problem_answer(s, has_page) for s in _problems(rule, method, operation)}
    if needs is Needs.SIGN_IN and has_page:
        problems["302"] = {"description": "Sign in first, where a browser asks"}
    made: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [*_in_path(rule, operation), *_in_query(operation, components)],
        "responses": dict(sorted((problems | answers).items())),
        "security": [{name: []} for name in schemes],
    }
    if content := _content(operation, components):
        made["requestBody"] = {"required": operation.body is not None, "content": content}
    return made


def _problems(rule: Rule, method: str, operation: Operation) -> list[int]:
    """Statuses of problems: of text that is none, of the gate, of the operation, and of ourselves."""
    needs = ROUTES[rule.endpoint]
    statuses = {400, 500, 503, *operation.problems}
    if needs is not Needs.NOTHING:
        statuses.add(401)
    if method in CHANGING:
        statuses |= {403, 413}
    if method in CHANGING and "<" in rule.rule:
        statuses.add(405)  # a path that is none of this route's is a page's, which takes GET alone
    if operation.form or operation.query or method == "GET":
        statuses.add(422)
    return sorted(statuses)


def _problem_answer(status: int, has_page: bool) -> Json:
    content: Json = {
        "application/problem+json": {"schema": {"$ref": TEMPLATE.format(model="Problem")}}
    }
    if has_page:
        content["text/html"] = {"schema": {"type": "string"}}
    return {"description": f"{TITLES[status]}: code {CODES[status]}", "content": content}


def _outcome(outcome: Outcome, components: Json) -> Json:
    made: Json = {"description": outcome.meaning}
    if outcome.headers:
        made["headers"] = {name: {"schema": {"type": "string"}} for name in outcome.headers}
    if outcome.media:
        schema = _schema(outcome.schema, components)
        made["content"] = {media: {"schema": schema} for media in outcome.media.split("\n")}
    return made


def _schema(schema: type[BaseModel] | Json | str, components: Json) -> Json:
    """Schema, or the reference to it; models are added to the components."""
    if isinstance(schema, dict):
        return schema
    if isinstance(schema, str):
        return {"$ref": TEMPLATE.format(model=schema)}
    made = schema.model_json_schema(ref_template=TEMPLATE, mode="serialization")
    components.update(made.pop("$defs", {}))
    components[schema.__name__] = _without_noise(made)
    return {"$ref": TEMPLATE.format(model=schema.__name__)}


def _without_noise(schema: Any) -> Any:
    """Schema without the titles and the null defaults that pydantic adds."""
    if isinstance(schema, list):
        return [_without_noise(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_noise(of) for name, of in value.items()}
        if key == "properties"
        else _without_noise(value)
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value in (None, "", []))
    }


def _in_path(rule: Rule, operation: Operation) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": operation.path.get(name)
            or TYPES.get(type(rule._converters[name]).__name__, {"type": "string"}),
        }
        for name in CONVERTER.findall(rule.rule)
    ]


def _in_query(operation: Operation, components: Json) -> list[Json]:
    return query_parameters(operation.query, components) if operation.query else []


def query_parameters(model: type[BaseModel], components: Json) -> list[Json]:
    """Parameters that a model reads; what their schemas refer to is added to the components."""
    schema = model.model_json_schema(ref_template=TEMPLATE)
    components.update(schema.get("$defs", {}))
    return [_parameter(name, _without_noise(of)) for name, of in schema["properties"].items()]


def _parameter(name: str, schema: Json) -> Json:
    about = schema.pop("description", "")
    choices = [of for of in schema.pop("anyOf", []) if of != {"type": "null"}]
    schema |= choices[0] if choices else {}
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _content(operation: Operation, components: Json) -> Json:
    """Media types of the body."""
    content: Json = {}
    if operation.body:
        content["application/json"] = {"schema": _schema(operation.body, components)}
    if operation.form:
        content |= {media: {"schema": schema_of(operation.form)} for media in FORMS[:1]}
    if operation.raw:
        content[operation.raw] = {"schema": {}}
    return content


def _problem() -> Json:
    """Schema of every answer that is a problem."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail", "request_id"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "code": text,
            "detail": text,
            "request_id": text,
            "field": {**text, "description": "The parameter, field or header that is wrong"},
            "errors": {
                "type": "array",
                "items": {"type": "object"},
                "description": "Faults of a delivery, record by record",
            },
        },
    }
