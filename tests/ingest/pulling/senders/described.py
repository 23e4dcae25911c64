"""Senders' official descriptions, and what a request or an answer has that they do not.

They are the vendors', large, and not committed: ``make descriptions`` puts them into ``var/descriptions``,
where ``pagerduty.json`` may be put by hand (PagerDuty/api-schema, reference/REST/openapiv3.json), and
``gitlab.yaml`` (GitLab's own repository, doc/api/openapi/openapi_v3.yaml).
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from graphql import GraphQLSchema, build_schema, graphql_sync, parse, validate
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from tests.ingest.pulling.senders.fake import Exchange

FOLDER = Path(__file__).parents[4] / "var" / "descriptions"
OCTOKIT = "node_modules/@octokit"
GITHUB, GRAPHQL = (
    f"{OCTOKIT}/openapi/generated/api.github.com.json",
    f"{OCTOKIT}/graphql-schema/schema.graphql",
)
PAGERDUTY, GITLAB = "pagerduty.json", "gitlab.yaml"
CERT_MANAGER = "node_modules/@kubernetes-models/cert-manager"


def content_of(name: str) -> bytes:
    """A description. Skips the test where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the sender's description {name} is not there: make descriptions")
    return path.read_bytes()


@cache
def openapi(name: str) -> Description:
    """A description of a REST API. That of GitHub knows ``created`` as one instant, its prose as a span
    too; entries of PagerDuty's log are each of two types at once there, which none can be."""
    content = content_of(name)
    document = yaml.load(content, yaml.CSafeLoader) if name == GITLAB else orjson.loads(content)
    if name == PAGERDUTY:
        entry = {"$ref": "#/components/schemas/LogEntry"}
        answer = document["paths"]["/log_entries"]["get"]["responses"]["200"]
        listed = answer["content"]["application/json"]["schema"]["allOf"][1]["properties"]
        listed["log_entries"]["items"] = entry
    return Description(document, frozenset({"created"}))


@cache
def graphql() -> GraphQLSchema:
    """GitHub's schema. It has doubles, which are no fault of ours."""
    return build_schema(
        content_of(GRAPHQL).decode(), assume_valid=True, assume_valid_sdl=True, no_location=True
    )


def wrong_in_list(document: Any) -> list[str]:
    """Where a list of Kubernetes' is not what cert-manager's own definitions of its resources say."""
    content_of(f"{CERT_MANAGER}/package.json")
    program = f"""
        import {{ {document["kind"]} as model }} from "@kubernetes-models/cert-manager/cert-manager.io/v1";
        import {{ readFileSync }} from "node:fs";
        try {{ new model(JSON.parse(readFileSync(0, "utf8"))).validate(); }}
        catch (error) {{ console.log(error.message); }}
    """
    ran = subprocess.run(
        ["node", "--input-type=module", "--eval", program],
        cwd=FOLDER,
        input=orjson.dumps(document),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return ran.stdout.decode().splitlines()


def wrong_in_query(query: str, variables: dict[str, Any], answer: Any) -> list[str]:
    """Faults of a query of GraphQL, and of what it was answered: the official schema must draw exactly the
    same from it."""
    schema, document = graphql(), parse(query)
    faults = [str(error) for error in validate(schema, document)]
    if faults or "errors" in answer:
        return faults
    drawn = graphql_sync(
        schema,
        query,
        root_value=answer["data"],
        variable_values=variables,
        field_resolver=lambda source, info, **_: source.get(info.path.key),
    )
    faults = [str(error) for error in drawn.errors or ()]
    return faults or ([] if drawn.data == answer["data"] else ["other data than was asked for"])


class Description:
    """A description in OpenAPI 3.0. Values of ``loose`` parameters are not held to it: it knows less of
    them than the sender's own prose."""

    def __init__(self, document: dict[str, Any], loose: frozenset[str] = frozenset()) -> None:
        self.document, self._loose = document, loose
        self._paths = sorted(document["paths"], key=lambda path: path.count("{"))

    def wrong(self, exchange: Exchange) -> list[str]:
        """Faults of a request and its answer, each in a sentence."""
        path = next((p for p in self._paths if _fits(p, exchange.path)), None)
        operation = self.document["paths"].get(path or "", {}).get(exchange.method.lower())
        if operation is None:
            return [f"there is no {exchange.method} {exchange.path}"]
        where = f"{exchange.method} {path}"
        faults = [f"{where}: {fault}" for fault in self._asked(operation, exchange)]
        return faults + [f"{where}: {fault}" for fault in self._answered(operation, exchange)]

    def _asked(self, operation: Any, exchange: Exchange) -> list[str]:
        declared = [self.resolved(each) for each in operation.get("parameters", ())]
        known = {p["name"]: p["schema"] for p in declared if p["in"] == "query"}
        missing = {p["name"] for p in declared if p["in"] == "query" and p.get("required")}
        faults = [f"lacks {name}" for name in missing - exchange.query.keys()]
        for name, value in exchange.query.items():
            if name not in known:
                faults.append(f"takes no {name}")
            elif name not in self._loose:
                schema = known[name]
                typed = value.split(",") if schema.get("type") == "array" else _typed(value)
                faults += [f"{name}: {fault}" for fault in self.mismatches(schema, typed)]
        return faults

    def _answered(self, operation: Any, exchange: Exchange) -> list[str]:
        declared = operation["responses"].get(str(exchange.status))
        if declared is None:
            return [] if exchange.status >= 300 else [f"answers no {exchange.status}"]
        content = self.resolved(declared).get("content", {}).get("application/json")
        return self.mismatches(content["schema"], exchange.document) if content else []

    def resolved(self, node: Any) -> Any:
        """Follow a reference to its end."""
        while isinstance(node, dict) and "$ref" in node:
            path = node["$ref"].removeprefix("#/").split("/")
            node = self.document
            for part in path:
                part = part.replace("~1", "/").replace("~0", "~")
                node = node[int(part)] if isinstance(node, list) else node[part]
        return node

    def mismatches(self, schema: Any, value: Any) -> list[str]:
        """Where a value is not what a schema says."""
        whole = {**schema, **{k: v for k, v in self.document.items() if k != "info"}}
        validator = OAS30Validator(whole, format_checker=oas30_format_checker)
        errors = validator.iter_errors(value)
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors][:5]


def _typed(value: str) -> Any:
    return int(value) if value.isdecimal() else {"true": True, "false": False}.get(value, value)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))


def _fits(path: str, asked: str) -> bool:
    return bool(_pattern(path).fullmatch(asked))
