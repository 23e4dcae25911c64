"""Callback bodies are client input: a request that is no call of a known callback is refused before
Dash sees it, since Dash answers a malformed one with a server error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash
from flask import Flask, request

from web.problem import Problem

UPDATE = "/_dash-update-component"


def strict_callbacks(app: Flask, dash_app: Dash) -> None:
    """Checks every call of a callback; runs after the gate."""
    known: dict[str, Mapping[str, Any]] = {}

    @app.before_request
    def check() -> None:
        if request.path != UPDATE or request.method != "POST":
            return
        if not known:
            dash_app._setup_server()  # type: ignore[no-untyped-call]
            known.update(dash_app.callback_map)
        body = request.get_json()
        if not isinstance(body, dict):
            raise Problem(400, "The body must be a JSON object.")
        called = known.get(body["output"]) if isinstance(body.get("output"), str) else None
        if called is None:
            raise Problem(400, "There is no such callback.")
        _require_declared(body, "inputs", called.get("inputs", []))
        _require_declared(body, "state", called.get("state", []))
        _outputs(body)
        _require_list_of(body, "changedPropIds", lambda item: isinstance(item, str))


def _require_declared(
    body: Mapping[str, Any], name: str, declared: list[Mapping[str, Any]]
) -> None:
    """The arguments are those that the callback declares, in its order."""
    given = body.get(name, [])
    shape = isinstance(given, list) and all(isinstance(item, dict) for item in given)
    if not shape or [(i.get("id"), i.get("property")) for i in given] != [
        (d["id"], d["property"]) for d in declared
    ]:
        raise Problem(400, f"{name} are not those of the callback.")


def _outputs(body: Mapping[str, Any]) -> None:
    """Where the answer goes must be what the output's name says."""
    given = body.get("outputs")
    listed = given if isinstance(given, list) else [given]
    named = body["output"].strip(".").split("...")
    places = [f"{o.get('id')}.{o.get('property')}" if isinstance(o, dict) else None for o in listed]
    if places != named or (len(named) > 1) != isinstance(given, list):
        raise Problem(400, "outputs are not those of the callback.")


def _require_list_of(body: Mapping[str, Any], name: str, is_right: Callable[[Any], bool]) -> None:
    """Raises Problem 400 unless the part of the request is a list of what is right."""
    given = body.get(name, [])
    if not isinstance(given, list) or not all(map(is_right, given)):
        raise Problem(400, f"{name} are malformed.")
