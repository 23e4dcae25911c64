"""A workspace with a row in every table that belongs to one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

from tests.conftest import TODAY
from tests.world import World, at

DAY = TODAY - timedelta(days=1)
Rows = Mapping[str, Mapping[str, object]]


def fill(world: World, workspace_id: int, tag: str) -> None:
    """Fills every table of the workspace with a row; the snapshots of a day are left to a backfill."""
    for rows in (_records(tag), _told(tag), _kept(tag), _watched(tag)):
        for table, row in rows.items():
            world.add(workspace_id, table, [row])


def _records(tag: str) -> Rows:
    """Records of every kind."""
    return {
        "deployment": {
            "key": tag,
            "completed_at": at(DAY),
            "outcome": "successful",
            "environment": "production",
        },
        "deployment_change": {"deployment": tag, "key": tag, "committed_at": at(DAY, 1)},
        "incident": {"key": tag, "opened_at": at(DAY)},
        "objective": {"key": tag, "target_percent": 99},
        "objective_day": {"key": tag, "day": DAY, "good": 1, "total": 1},
        "control_result": {
            "framework": "SOC2",
            "control": tag,
            "assessed_at": at(DAY),
            "result": "compliant",
        },
        "certificate": {"fingerprint": tag, "host": "", "port": 0, "not_after": at(DAY)},
        "vendor": {"key": tag, "name": tag, "tier": 1},
        "vendor_review": {"vendor": tag, "completed_on": DAY},
        "roll_back": {"key": tag, "rolled_back_at": at(DAY)},
        "asset_retirement": {"asset": tag, "retired_at": at(DAY)},
        "asset_absence": {"asset": tag, "framework": "SOC2", "retired_at": at(DAY)},
        "framework_control": {"framework": tag, "control": "C1", "set_up_at": at(DAY)},
    }


def _told(tag: str) -> Rows:
    """A delivery with a statement and a part that can not be read."""
    delivery = uuid4()
    return {
        "statement": {
            "kind": "deployments",
            "identity": tag,
            "digest": tag.encode(),
            "source": "csv",
            "manner": 1,
            "assertions": {"key": tag},
            "received_at": at(DAY),
        },
        "delivery": {
            "id": delivery,
            "format": "github",
            "received_at": at(DAY),
            "content": tag.encode(),
        },
        "quarantine": {
            "id": uuid4(),
            "delivery": delivery,
            "format": "github",
            "reason": tag,
            "at": at(DAY),
        },
    }


def _kept(tag: str) -> Rows:
    """Meanings, days that are due and an invitation: kept beside the records."""
    return {
        "mention": {"kind": "incidents", "identity": tag, "value": tag, "is_own": False},
        "word_meaning": {"about": "environment", "word": tag, "meaning": "production"},
        "annotation": {
            "id": uuid4(),
            "first_day": DAY,
            "last_day": DAY,
            "text": tag,
            "made_by": tag,
        },
        "workspace_setting": {"name": tag, "revision": 1, "since": DAY, "set_by": tag},
        "snapshot_due": {"first_day": DAY},
        "preset_rows": {"preset": 28, "asked": tag, "version": 0, "data": tag.encode()},
        "invitation": {
            "id": uuid4(),
            "email": f"{tag}@x.example",
            "role": "viewer",
            "invited_by": tag,
            "secret_hash": tag.encode(),
            "expires_at": at(DAY),
        },
    }


def _watched(tag: str) -> Rows:
    """State, series and a signal of the watch."""
    return {
        "watch_state": {"series": [tag], "held_on": DAY, "data": tag.encode()},
        "watch_series": {"series": tag, "night": DAY, "dispersion": 1.0, "evidence": 0.0},
        "watch_signal": {
            "series": tag,
            "opened_on": DAY,
            "grade": "drifting",
            "since": DAY,
            "give_or_take": 2,
            "evidence": 9.0,
            "usual": 0.1,
            "now": 0.2,
            "extra": 3.0,
            "seen_on": DAY,
        },
    }
