"""Operations of the API: what is declared beside a route is both checked and documented.

A route's query and body are pydantic models. The decorator reads the request by them and hands the view
what was read; the OpenAPI document is made of the same models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, get_origin

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from wtforms import Form

from web.problem import Problem, invalid

Json = dict[str, Any]
View = Callable[..., ResponseReturnValue]
Model = TypeVar("Model", bound=BaseModel)
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer that is no problem: its meaning, its media types (one a line), and its schema (a model, a
    schema or the name of one). Without a media type it has no body."""

    meaning: str
    media: str = ""
    schema: type[BaseModel] | Json | str = field(default_factory=lambda: {"type": "string"})
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """Declaration of one method of one path.

    ``path`` has the schemas of parameters in the path that are more than text, ``problems`` the statuses
    beside those that the gate answers, ``security`` the schemes where the gate does not decide, and
    ``raw`` the media type of a body that the view itself reads.
    """

    id: str
    summary: str
    answers: Mapping[int, Outcome]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    form: type[Form] | None = None
    raw: str = ""
    path: Mapping[str, Json] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    security: tuple[str, ...] | None = None

    def __call__(self, view: View) -> View:
        """View that is given ``query`` and ``body`` as they were read. Raises Problem."""

        @wraps(view)
        def view_with_request(**path: Any) -> ResponseReturnValue:
            if self.query:
                path["query"] = read_query(self.query)
            if self.body:
                is_form = self.form is not None and request.mimetype in FORMS
                path["body"] = None if is_form else read_body(self.body)
            return view(**path)

        view_with_request.operation = self  # type: ignore[attr-defined]
        return view_with_request


def read_query(model: type[Model]) -> Model:
    """Query of the request. Raises Problem 422 naming the parameter."""
    fields = model.model_fields
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        repeats = name in fields and get_origin(fields[name].annotation) is tuple
        if len(values) > 1 and not repeats:
            raise invalid(name[:40], "must be given once")
        given[name] = values if repeats else values[0]
    return validate(model, given)


def read_body(model: type[Model]) -> Model:
    """JSON body of the request. Raises NotText, Problem 400, Problem 422 naming the field."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object.")
    return validate(model, body)


def validate(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Model of what was given. Raises Problem 422 naming the first field that is wrong."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=True)[0]
        name = str(first["loc"][0])[:40] if first["loc"] else "body"
        raise invalid(name, _reason(first, model)) from error


def _reason(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Words that go on after the name of the field."""
    if error["type"] == "extra_forbidden":
        return f"is not known; there are {', '.join(model.model_fields)}"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"].replace("Input should be", "must be").replace("'", "")


def add_routes(
    made: Blueprint, views: object, routes: Iterable[tuple[str, str, Operation, str]]
) -> None:
    """Adds routes whose views are methods of one object: the address, the method's name, what is declared
    of it, and the verb."""
    for rule, name, declared, verb in routes:
        made.add_url_rule(rule, name, declared(getattr(views, name)), methods=[verb])
