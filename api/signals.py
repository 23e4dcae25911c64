"""The signals as JSON: drifts by evidence, and counts beyond their threshold."""

from __future__ import annotations

from datetime import date, timedelta

import orjson
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import Ask
from reading.signals import open_signals
from reading.signals.beside import moved_with
from reading.signals.facts import facts
from reading.signals.open_signals import DriftSignal
from reading.signals.promise import promise
from reading.signals.signals_json import (
    PERIOD,
    drift_json,
    fact_json,
    moved_json,
    service_json,
)
from reading.signals.whole import shown as whole
from storage.digests.channels import watched_night
from web.operation import Json, Operation, Outcome
from web.problem import Problem
from web.services import Services

PATH = "/api/v1/platform/signals/"
DRIFTS: Json = {"type": "array", "items": {"$ref": "#/components/schemas/Drift"}}
TEXT, DAY = {"type": "string"}, {"type": "string", "format": "date"}


class SignalsOf(BaseModel):
    """Signals of one workspace, or of all."""

    workspace: str = Field(
        "",
        max_length=64,
        description="Only this workspace, by its slug; its drifts are told with their services",
    )


SIGNALS = Operation(
    "listSignals",
    "Signals of your workspaces: drifts by evidence, counts beyond their threshold",
    {
        200: Outcome(
            "The signals",
            "application/json",
            {
                "type": "object",
                "properties": {
                    "night": DAY,
                    "promise": TEXT,
                    "together": DRIFTS | {"description": "Of all your workspaces together"},
                    "drifts": DRIFTS,
                    "certain": {"type": "array", "items": {"$ref": "#/components/schemas/Fact"}},
                },
            },
        )
    },
    query=SignalsOf,
    problems=(403, 404),
)


def blueprint(services: Services) -> Blueprint:
    """The route."""
    made = Blueprint("api_signals", __name__)

    @made.get(PATH, strict_slashes=False, endpoint="list")
    @SIGNALS
    def signals(query: SignalsOf) -> ResponseReturnValue:
        answer = signals_json(services, query.workspace)
        return Response(orjson.dumps(answer), mimetype="application/json")

    return made


def signals_json(services: Services, slug: str = "") -> Json:
    """Signals of the person who asks; of one workspace with the services behind them. Raises
    NotPlatformAdmin, Problem 404 for a workspace that is not theirs."""
    viewer = services.viewer()
    today = services.settings.now().date()
    dashboard = services.read(viewer, Ask(PERIOD))
    if slug and slug not in dashboard.scope.names:
        raise Problem(404)
    with services.database.reader.connect() as connection:
        watched = watched_night(connection)
    night = watched or dashboard.as_of or today - timedelta(days=1)
    return {
        "night": night,
        "promise": promise(services.database, len(dashboard.scope.slugs)),
        "together": [
            _drift(s, dashboard, night) for s in whole.read(services.database, viewer) if not slug
        ],
        "drifts": [
            _drift(s, dashboard, night)
            | {"services": [service_json(p) for p in services.services_of(s)] if slug else None}
            for s in open_signals.read(services.database, viewer, today)
            if slug in ("", s.workspace.slug)
        ],
        "certain": [fact_json(f) for f in facts(dashboard) if slug in ("", f.slug)],
    }


def _drift(signal: DriftSignal, dashboard: Dashboard, night: date) -> Json:
    return {
        **drift_json(signal),
        "is_new": signal.is_new(night),
        "moved_with": moved_json(moved_with(signal, dashboard)),
        "services": None,
    }
