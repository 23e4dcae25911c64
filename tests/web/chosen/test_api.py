"""Settings over the API."""

from __future__ import annotations

from tests.webworld import DAY, csrf

PATH = "/api/v1/platform/settings/"
RATE = "dora.change_failure_rate"


def listed(client, query: str = "") -> dict[str, dict]:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    return {each["name"]: each for each in answer.json["settings"]}


def test_a_target_is_set_and_taken_back(web):
    bob = web.sign_in("bob")
    value = {"target": 0.12, "watch": None}
    body = {"name": RATE, "value": value, "workspace": "alpha"}
    assert bob.put(PATH, json=body, headers=csrf(bob)).json == {"counted_anew": None}
    told = listed(bob, "workspace=alpha")[RATE]
    assert (told["value"], told["set_by"], told["since"]) == (value, "workspace", DAY.isoformat())
    assert listed(bob)[RATE]["set_by"] == "declaration"
    taken = bob.put(PATH, json=body | {"value": None}, headers=csrf(bob))
    assert taken.status_code == 200
    assert listed(bob, "workspace=alpha")[RATE]["value"] is None


def test_what_is_wrong_is_named_and_who_may_not_is_refused(web):
    bob, alice = web.sign_in("bob"), web.sign_in("alice")
    for wrong, field in (
        ({"name": "x"}, "name"),
        ({"value": {"target": 2}}, "target"),
        ({"value": 7}, "value"),
        ({"value": {"target": 0.1, "watch": 0.2}}, "watch"),
        ({"since": "soon"}, "since"),
        ({"more": 1}, "more"),
    ):
        body = {"name": RATE, "value": {"target": 0.1}} | wrong
        refused = alice.put(PATH, json=body, headers=csrf(alice))
        assert (refused.status_code, refused.json["field"]) == (422, field)
    body = {"name": RATE, "value": {"target": 0.1}}
    assert bob.put(PATH, json=body, headers=csrf(bob)).status_code == 403
    foreign = bob.put(PATH, json=body | {"workspace": "beta"}, headers=csrf(bob))
    assert foreign.status_code == 404


def test_what_counts_days_anew_is_confirmed(web):
    alice = web.sign_in("alice")
    body = {"name": "postmortem_days", "value": 5}
    asked = alice.put(PATH, json=body, headers=csrf(alice))
    assert (asked.status_code, asked.json["field"]) == (422, "confirmed")
    assert "counted anew in 2 workspaces" in asked.json["detail"]
    done = alice.put(PATH, json=body | {"confirmed": True}, headers=csrf(alice))
    assert "counted anew in 2 workspaces" in done.json["counted_anew"]
