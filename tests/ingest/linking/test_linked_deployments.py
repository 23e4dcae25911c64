"""Deployments that are the same by a rule or by hand: they count once, with all changes, incidents and
roll-backs that name either of them."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from ingest.desk import corrections, meanings
from tests.deep import every
from tests.ingest.formats.telling import at

BY = "erin@x.example"
FIELD = "cdevents customdata.deployment"
SLUG = "payments"
HEAD = "key,created_at,completed_at,outcome,service\n"
CHANGES = "deployment,key,committed_at\n"
INCIDENTS = "key,opened_at,resolved_at,caused_by\n"
CD = "/ci#e1"


@pytest.fixture
def team(workspaces) -> tuple[int, str]:
    return workspaces[SLUG], SLUG


@pytest.fixture
def deployments(stored):
    return lambda: {row["key"]: row for row in stored("deployments")}


def event(name: str, clock: str, number: str, **custom: object) -> dict:
    context = {"id": number, "source": "/ci", "timestamp": f"2026-11-10T{clock}:00Z"}
    context["type"] = f"dev.cdevents.service.{name}.0.2.0"
    subject = {"id": "svc/checkout", "content": {"environment": {"id": "prod"}}}
    return {"context": context, "subject": subject, "customData": custom}


def github(clock: str, number: int = 7, state: str = "success") -> dict:
    api = f"https://api.github.com/repos/acme/shop/deployments/{number}"
    made = {"id": number, "url": api, "environment": "production", "production_environment": True}
    made["created_at"] = "2026-11-10T08:00:00Z"
    status = {"id": 1, "state": state, "created_at": f"2026-11-10T{clock}:00Z"}
    return {"deployment": made, "deployment_status": status, "repository": {"name": "shop"}}


@pytest.fixture
def tell(bring):
    def run(form: str, body: dict, kind: str = "deployments") -> None:
        bring(kind, json.dumps(body), f"{form}.json", workspace=SLUG, form=form)

    return run


def rule(database, team, meaning: str | None = "same") -> int:
    return meanings.change(database, team, "link", FIELD, meaning, BY)


NAMES = [7, "7", "https://api.github.com/repos/acme/shop/deployments/7"]


@pytest.mark.parametrize("names", every(3, NAMES))
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_event_that_names_a_deployment_counts_once_with_it(
    database, team, deployments, tell, order, names
):
    parts = (
        lambda: rule(database, team),
        lambda: tell("github", github("08:20")),
        lambda: tell("cdevents", event("deployed", "08:25", "e1", deployment=names)),
    )
    for number in order:
        parts[number]()
    each = deployments()
    assert {key: (row["left_out"], row["part_of"]) for key, row in each.items()} == {
        "7": (None, None), CD: ("merged", "7")
    }  # fmt: skip
    assert (each["7"]["completed_at"], each["7"]["service"]) == (at("08:20"), "shop")
    assert rule(database, team, meaning=None) == 1
    assert [row["left_out"] for row in deployments().values()] == [None, None]
    assert [row["part_of"] for row in deployments().values()] == [None, None]


def test_an_event_stands_alone_while_the_deployment_it_names_is_under_way(
    database, team, deployments, tell
):
    rule(database, team)
    tell("github", github("08:10", state="in_progress"))
    tell("cdevents", event("deployed", "08:25", "e1", deployment=7))
    assert {key: row["left_out"] for key, row in deployments().items()} == {CD: None}
    tell("github", github("08:20"))
    assert deployments()[CD]["left_out"] == "merged"


def test_a_roll_back_of_either_service_undoes_it_once(database, team, deployments, tell):
    rule(database, team)
    tell("github", github("08:20"))
    tell("cdevents", event("rolledback", "08:40", "r1"), "roll-backs")
    assert deployments()["7"]["rolled_back_at"] is None
    tell("cdevents", event("deployed", "08:25", "e1", deployment=7))
    assert {k: row["rolled_back_at"] for k, row in deployments().items()} == {
        "7": at("08:40"), CD: None
    }  # fmt: skip
    rule(database, team, meaning=None)
    assert {k: row["rolled_back_at"] for k, row in deployments().items()} == {
        "7": None, CD: at("08:40")
    }  # fmt: skip
    rule(database, team)
    tell("cdevents", event("deployed", "08:30", "e2"))
    assert {k: row["rolled_back_at"] for k, row in deployments().items()} == {
        "7": None, CD: None, "/ci#e2": at("08:40")
    }  # fmt: skip


def test_a_chain_by_hand_ends_in_the_last(database, team, bring, deployments):
    rows = "".join(f"{key},,2026-11-10T0{n}:00:00Z,successful,s\n" for n, key in enumerate("abc"))
    bring("deployments", HEAD + rows, workspace=SLUG)
    corrections.merge(database, team, "deployments", "a", "b", BY)
    corrections.merge(database, team, "deployments", "b", "c", BY)
    assert {k: (r["merged_into"], r["part_of"]) for k, r in deployments().items()} == {
        "a": ("b", "c"), "b": ("c", "c"), "c": (None, None)
    }  # fmt: skip
