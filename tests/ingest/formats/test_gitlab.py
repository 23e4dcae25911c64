"""GitLab: webhooks and lists make the same record."""

from __future__ import annotations

import pytest

from tests.ingest.formats.telling import at, one_after_another, records, rows, told


def hook(status: str, changed: str, **more) -> dict:
    return {
        "object_kind": "deployment",
        "status": status,
        "status_changed_at": changed,
        "deployment_id": 15,
        "environment": "live",
        "project": {"name": "ledger"},
        **more,
    }


LISTED = {
    "id": 15,
    "iid": 2,
    "status": "success",
    "created_at": "2026-11-10T06:50:00Z",
    "updated_at": "2026-11-10T08:00:00Z",
    "environment": {"name": "live"},
    "deployable": {
        "finished_at": "2026-11-10T07:00:00Z",
        "web_url": "https://gitlab.example/group/sub/ledger/-/jobs/3",
    },
}


def test_a_hook_and_a_list_meet_in_one_record():
    bodies = [
        [LISTED],
        hook("running", "2026-11-10 07:50:00 +0100"),
        hook("success", "2026-11-10 08:00:00 +0100"),
    ]
    made = records("deployments", one_after_another("gitlab", "deployments", bodies))
    assert list(made) == ["gitlab@15"]
    (one,) = made.values()
    assert (one["outcome"], one["completed_at"], one["created_at"]) == (
        "successful",
        at("07:00"),
        at("06:50"),
    )
    assert (one["service"], one["production"]) == ("ledger", True)


@pytest.mark.parametrize(
    ("tier", "name", "production"),
    [
        ("production", "blue", True),
        ("staging", "production", False),
        ("other", "prod", True),
        (None, "review/app", False),
    ],
)
def test_the_tier_decides_else_the_name(tier, name, production):
    body = hook("failed", "2026-11-10 07:00:00 UTC", environment=name, environment_tier=tier)
    (made,) = records("deployments", told("gitlab", "deployments", body)).values()
    assert (made["production"], made["outcome"]) == (production, "failed")


def test_a_cancelled_one_ended_as_cancelled():
    body = hook("canceled", "2026-11-10 07:00:00 UTC")
    (made,) = records("deployments", told("gitlab", "deployments", body)).values()
    assert made["outcome"] == "cancelled"


def test_what_is_no_deployment_is_named():
    warnings: list[str] = []
    assert rows("gitlab", "deployments", {"object_kind": "push"}, warnings) == []
    assert warnings == ["left out GitLab's push event: deployment events are read"]
    (row,) = rows("gitlab", "deployments", hook("odd", "2026-11-10 07:00:00 UTC"))
    assert row.fault is not None
    assert row.fault.reason == "status is unknown: 'odd'"
