"""POST /mcp: the Model Context Protocol over HTTP, for the person of the bearer token, read-only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from storage.bounds.turns import Turns
from web.bounds.pace import RequestPace
from web.operation import Operation, Outcome
from web.people.denials import deny
from web.problem import Problem
from web.services import Services

PATH = "/mcp"
A_MINUTE = 120
AT_ONCE, PATIENCE_SECONDS = 8, 2.0
"""A third of a process's threads: assistants that loop do not keep people from their pages."""
EXCHANGE = Operation(
    "assistant",
    "Model Context Protocol: tools that read what the person of the token may see",
    {
        200: Outcome("Answer of the protocol", "application/json", {"type": "object"}),
        202: Outcome("A notification was taken"),
        406: Outcome("The answer is JSON alone", "application/json", {"type": "object"}),
    },
    raw="application/json",
    problems=(404, 415, 422, 429),
)


def blueprint(services: Services, jobs: Callable[[], Engine]) -> Blueprint:
    """The one route, and the refusal of what else clients try: there are no sessions, and nothing is sent
    unasked."""
    made = Blueprint("assistant", __name__)
    pace, turns = RequestPace(A_MINUTE), Turns(AT_ONCE, PATIENCE_SECONDS)

    @made.post(PATH, endpoint="exchange")
    @EXCHANGE
    def exchange() -> ResponseReturnValue:
        # Imported by the first assistant: 0.6 s and 33 MB that others do without.
        from api.assistant.exchange import AssistantExchange

        if not isinstance(request.get_json(), dict):
            raise Problem(400, "The body must be a JSON object: one message of the protocol.")
        pace.step(g.account.id)
        made = AssistantExchange(services)
        with turns.hold_turn():
            answer = made.answer(request, request.get_data())
        for tool, given, problem in made.refused:
            _note(jobs, tool, given, problem)
        return answer

    @made.route(PATH, methods=["GET", "DELETE"], endpoint="unasked")
    def refuse_other_methods() -> ResponseReturnValue:
        raise Problem(405, "Send messages with POST; nothing is sent unasked.", methods=("POST",))

    return made


def _note(
    jobs: Callable[[], Engine], tool: str, given: Mapping[str, Any], problem: Problem
) -> None:
    """Has the audit say who asked a tool for what is not theirs."""
    slug = given.get("workspace")
    if problem.status == 403 or (problem.status == 404 and isinstance(slug, str)):
        more = {"workspace": slug[:30]} if isinstance(slug, str) else {}
        details = {"method": "TOOL", "tool": tool[:40], "status": problem.status, **more}
        deny(jobs, g.account.email, PATH, details)
