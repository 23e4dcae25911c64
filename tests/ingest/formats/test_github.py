"""GitHub: statuses in any order, production by its own word, lists of the REST API, forms."""

from __future__ import annotations

import json
from itertools import permutations
from urllib.parse import urlencode

import pytest

from tests.ingest.formats.telling import at, one_after_another, records, rows, told


def hook(state: str | None, clock: str, number: int = 1, **more) -> dict:
    body: dict = {
        "deployment": {
            "id": 901,
            "environment": "live-eu",
            "created_at": "2026-11-10T07:00:00Z",
            **more,
        },
        "repository": {"name": "ledger"},
    }
    if state:
        status = {"id": number, "state": state, "created_at": f"2026-11-10T{clock}:00Z"}
        body["deployment_status"] = status
    return body


def deployment(*hooks: dict) -> dict:
    (made,) = records("deployments", one_after_another("github", "deployments", hooks)).values()
    return made


def test_the_last_terminal_status_counts_in_every_order():
    story = [
        hook("in_progress", "07:01", 1),
        hook("failure", "07:10", 2),
        hook("success", "07:30", 3),
        hook("inactive", "09:00", 4),
    ]
    for arrived in permutations(story):
        made = deployment(*arrived)
        assert (made["outcome"], made["completed_at"]) == ("successful", at("07:30"))
        assert (made["created_at"], made["service"]) == (at("07:00"), "ledger")


@pytest.mark.parametrize(
    ("name", "is_production"),
    [("x" * 300, False), ("preview/" + "branch-" * 40, False), ("live\n", True), ("a\x00b", False)],
)
def test_an_environment_of_any_name_is_not_production_for_want_of_one(name, is_production):
    made = deployment(hook("success", "07:10", environment=name))
    assert (made["production"], made["outcome"]) == (is_production, "successful")
    assert len(made["environment"]) <= 200


def test_of_two_statuses_of_one_second_the_later_id_counts():
    first, second = hook("error", "07:10", 8), hook("success", "07:10", 9)
    assert (
        deployment(first, second)["outcome"] == deployment(second, first)["outcome"] == "successful"
    )


@pytest.mark.parametrize("state", ["queued", "pending", "in_progress", "waiting", "inactive", None])
def test_what_ends_nothing_makes_no_record_yet(state):
    assert records("deployments", told("github", "deployments", hook(state, "07:01"))) == {}


@pytest.mark.parametrize(
    ("environment", "word", "production"),
    [
        ("PRD", None, True),
        ("Production – ledger", None, True),
        ("pre-production", None, False),
        ("staging", None, False),
        ("blue", True, True),
        ("production", False, False),
    ],
)
def test_githubs_word_on_production_decides_else_the_name(environment, word, production):
    made = deployment(
        hook("success", "07:10", environment=environment, production_environment=word)
    )
    assert made["production"] is production


REST = {
    "url": "https://api.github.com/repos/acme/ledger/deployments/901",
    "id": 901,
    "environment": "live-eu",
    "created_at": "2026-11-10T07:00:00Z",
    "statuses_url": "https://api.github.com/repos/acme/ledger/deployments/901/statuses",
}


def test_a_list_and_the_statuses_make_the_record_that_the_webhooks_make():
    statuses = [
        {"id": 3, "state": "success", "created_at": "2026-11-10T07:30:00Z"},
        {"id": 2, "state": "failure", "created_at": "2026-11-10T07:10:00Z"},
    ]
    url = {"deployment_url": REST["url"]}
    within = told("github", "deployments", [{**REST, "statuses": statuses}])
    apart = one_after_another("github", "deployments", [[{**s, **url} for s in statuses], [REST]])
    pushed = deployment(hook("success", "07:30", 3), hook("failure", "07:10", 2))
    assert records("deployments", within) == records("deployments", apart)
    assert list(records("deployments", within).values()) == [pushed]


def test_releases_are_deployments_of_their_repository():
    def release(tag: str, **more) -> dict:
        url = "https://api.github.com/repos/acme/ledger/releases/5"
        return {"url": url, "tag_name": tag, "published_at": "2026-11-10T08:00:00Z", **more}

    listed = [
        release("v3", draft=False, prerelease=False),
        release("v4-rc1", prerelease=True),
        release("v5", draft=True),
    ]
    made = records("deployments", told("github", "deployments", listed))
    assert {key: each["production"] for key, each in made.items()} == {
        "acme/ledger@v3": True,
        "acme/ledger@v4-rc1": False,
    }


def test_a_form_is_read_from_its_payload():
    form = urlencode({"payload": json.dumps(hook("success", "07:10"))}).encode()
    (made,) = records("deployments", told("github", "deployments", form)).values()
    assert made["outcome"] == "successful"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"ref": "refs/heads/main", "pusher": {}, "commits": [], "repository": {}}, "push"),
        ({"zen": "Half measures are as bad as nothing at all.", "hook": {}}, "ping"),
        ({"action": "opened", "pull_request": {}, "repository": {}}, "pull_request"),
        ({"action": "published", "release": {}, "repository": {}}, "release"),
    ],
)
def test_an_event_that_is_none_of_deployments_is_named(body, name):
    warnings: list[str] = []
    assert rows("github", "deployments", body, warnings) == []
    assert warnings == [f"left out GitHub's {name} event: deployment_status events are read"]


def test_an_unknown_state_is_named_with_its_place():
    (row,) = rows("github", "deployments", hook("exploded", "07:10"))
    assert row.fault is not None
    assert row.fault.reason == "deployment_status.state is unknown: 'exploded'"
