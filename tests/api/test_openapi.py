"""The OpenAPI document is valid, knows every route, and tells the truth: generated requests prove it."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import given, seed
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from api.openapi import operations
from auth import tokens
from ingest.door import senders
from tests.conftest import empty
from tests.deep import all_but, efforts
from tests.webworld import WebWorld, csrf, make

PAGES = {
    "asset", "shell.logo", "shell.workspaces", "help.index", "help.article",
    "login", "logout", "assistant.unasked", "by_provider", "from_provider", "second_step",
    "home", "api.docs", "/", "/<path:path>", "_dash_assets.static",
    "/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/_reload-hash", "/_favicon.ico",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
}  # fmt: skip
"""Endpoints of pages, and Dash's own, which browsers use and programs do not."""
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
PLAIN = {"Accept-Encoding": "identity"}
SLUGS = {"type": "string", "enum": ["alpha", "beta", "nowhere"]}
KNOWN = ("executiveDashboard", "createExport", "exportState", "downloadExport", "actOnExport",
         "schedulePack", "commentOnPack", "removeScheduledPack", "recordsCsv", "ingest", "membersPage",
         "changeMember", "deliveries", "delivery", "deliveryContent", "replayDelivery",
         "quarantine", "replayQuarantined", "dropQuarantined", "map", "record", "correctRecord",
         "recordPage", "deliveryPage", "recordAction", "recordsAction", "changePassword", "createToken",
         "enrolSecondFactor", "confirmSecondFactor", "renewRecoveryCodes", "switchSecondFactorOff",
         "revokeToken", "endSession", "takeSnapshot", "signalsPage", "changeSignal",
         "addDigest", "actOnDigest", "stopDigestPage", "stopDigest", "createSource", "sourcePage",
         "actOnSource", "frameworksPage", "seedFramework", "settingsPage", "settingsAction",
         "settings", "changeSetting",
         "annotationsPage", "annotationsAction", "addAnnotation",
         "editAnnotation", "withdrawAnnotation",
         "firstRunStep", "createFirstAccount",
         "firstRunFile", "connectSource", "lateSources", "previewSource", "source",
         "syncSource", "changeSource", "removeSource",
         "workspaceFigures", "workspaceRecords", "why", "assistant",
         "platformMetrics", "auditPage", "auditCsv",
         "invitationPage", "acceptInvitation")  # fmt: skip
OF_THEIR_OWN = ("enrolSecondFactor", "confirmSecondFactor", "renewRecoveryCodes",
                "switchSecondFactorOff", "changePassword", "createToken", "revokeToken",
                "endSession", "endOtherSessions", "signOutEverywhere")  # fmt: skip
"""Operations on what the caller came in with: somebody's whom nobody else in this module needs."""
WITHOUT_INPUT = ("mapping", "recordsPage", "openapi", "exportsPage", "alive", "ready", "metrics",
                 "listSignals", "digestPage", "signalsCsv", "nightsPage", "sourcesPage", "newSourcePage",
                 "accountPage", "listWorkspaces", "listDefinitions", "endOtherSessions",
                 "signOutEverywhere", "firstRunPage",
                 "firstAccountPage", "sources", "annotations")  # fmt: skip
FUZZED = [(id, GenerationMode.POSITIVE) for id in (*KNOWN, *WITHOUT_INPUT)] + [
    (id, GenerationMode.NEGATIVE) for id in KNOWN
]
ASKED = [(id, GenerationMode.POSITIVE) for id in (*KNOWN, *WITHOUT_INPUT)] + [
    (id, GenerationMode.NEGATIVE) for id in KNOWN[::3]
]
"""Of these make test tries: what the document allows of each operation, what it does not of some."""
CASES = {"quick": 10, "deep": 5_000}
"""Of each operation and mode, at most: some have fewer. A few of the quick ones are make test's."""


@pytest.fixture(scope="module")
def web(server, settings) -> Iterator[WebWorld]:
    """A world for all tests of the module; exports are asked for without waiting for them."""
    empty(server)
    made = make(server, settings.model_copy(update={"export_sync_seconds": 0}))
    yield made
    made.app.extensions["vigilo.exports"].stop()


@pytest.fixture(scope="module")
def credentials(web) -> dict[str, dict]:
    """Headers and cookies of the platform admin, and the header of a sender."""
    alice = web.sign_in("alice")
    sender = tokens.create(
        web.world.database.job, "engineer@x.example", scope=senders.scope("alpha")
    )
    return {
        "session": _came_in(alice),
        "own": _came_in(web.sign_in("viewer")),
        "sender": {"headers": {"Authorization": f"Bearer {sender}"} | PLAIN},
    }


def _came_in(browser: FlaskClient) -> dict[str, dict[str, str]]:
    """Headers and cookies of a browser that is signed in."""
    headers = csrf(browser) | PLAIN
    names = ("vigilo", "_csrf_token")
    return {"headers": headers, "cookies": {n: browser.get_cookie(n).value for n in names}}


@pytest.fixture(scope="module")
def known_operations(web):
    """Operations of the document by their id, its workspaces narrowed to some that there are, and its jobs
    to one."""
    alice = web.sign_in("alice")
    narrowed = alice.get("/api/openapi.json").json
    job = alice.post("/exports", json={}, headers=csrf(alice)).json["id"]
    for path in narrowed["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "slug":
                    parameter["schema"] = SLUGS
                elif parameter["name"] == "id":
                    parameter["schema"] |= {"enum": [job, "0" * 8 + "-0000-0000-0000-" + "0" * 12]}
    loaded = schemathesis.openapi.from_dict(narrowed)
    loaded.app = web.app
    every = (result.ok() for result in loaded.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in every}


def test_the_document_is_valid(web):
    document = web.sign_in("alice").get("/api/openapi.json").json
    assert [str(e) for e in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_is_documented_or_a_page(web):
    documented = {rule.endpoint for rule, _, _ in operations(web.app)}
    assert {rule.endpoint for rule in web.app.url_map.iter_rules()} - documented == PAGES
    assert {operation.id for _, _, operation in operations(web.app)} == {*KNOWN, *WITHOUT_INPUT}


@pytest.mark.parametrize("effort", efforts(2, CASES["quick"], CASES["deep"]))
@pytest.mark.parametrize(("id", "mode"), all_but(ASKED, FUZZED, several=True))
def test_no_request_meets_an_answer_that_is_not_documented(
    known_operations, credentials, id, mode, effort
):
    @seed(28)
    @effort
    @given(case=known_operations[id].as_strategy(generation_mode=mode))
    def holds(case: Case) -> None:
        who = credentials[
            "sender" if id == "ingest" else "own" if id in OF_THEIR_OWN else "session"
        ]
        response = case.call(**copy.deepcopy(who))
        assert response.status_code != 500, response.text
        case.validate_response(response, checks=CHECKS)

    holds()
