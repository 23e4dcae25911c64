"""Records that vanished at the sender: once a week a window is listed whole; what earlier lists of the same
part had and this one lacks is asked for by its id, and where it is gone, withdrawn, never deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from aggregators.records.statements import ROW, Statement
from ingest import words
from ingest.kinds import KINDS
from ingest.pulling.shape import Pull, PullScope
from ingest.statements import Told, tell

WEEK, WINDOW = timedelta(days=7), timedelta(days=28)
MOST = 50
"""Records that are asked for by their ids before they are withdrawn."""
LISTED = "listed"
"""Stream under which the last lists of a part are remembered."""


def whole_from(pull: Pull, scope: PullScope) -> datetime | None:
    """Instant from which a part is to be listed whole again; None before a week is over."""
    now, last = pull.now, pull.memory.cursor(scope.external_id, LISTED).get("at")
    is_due = last is not None and now - datetime.fromisoformat(last) > WEEK
    return now - WINDOW if is_due else None


def with_those_still_there(
    pull: Pull,
    scope: PullScope,
    listed: Mapping[str, datetime],
    whole: datetime,
    is_there: Callable[[str], bool],
) -> dict[str, datetime]:
    """A whole list, with those that it lacks and that are there all the same: a list of pages that change
    while they are read skips some. Where it lacks very many, something else is wrong, and all stay."""
    before: Mapping[str, str] = pull.memory.cursor(scope.external_id, LISTED).get("keys", {})
    lacked = {key: at for key, at in before.items() if key not in listed and at > whole.isoformat()}
    if len(lacked) > MOST:
        pull.note(
            f"{scope.name}: {len(lacked)} are in no list any more; that many are left as they are."
        )
    doubtful = len(lacked) > MOST
    still_there = {k: at for k, at in lacked.items() if doubtful or is_there(k)}
    return {**listed, **{key: datetime.fromisoformat(at) for key, at in still_there.items()}}


def withdraw(
    connection: Connection, workspace_id: int, kind: str, source: str, keys: Sequence[str]
) -> None:
    """Tells that the records are gone, in their sender's name, within the job context of the workspace."""
    gone = Statement(source, {"withdrawn": True}, datetime.now(UTC), manner=ROW)
    if keys:
        meant = words.of_workspace(connection, workspace_id)
        tell(connection, KINDS[kind], workspace_id, [Told(key, gone) for key in keys], meant)


def is_recent(listed: Mapping[str, datetime], now: datetime) -> bool:
    """Whether a list has anything of the last weeks, which alone is remembered."""
    return max(listed.values(), default=now - WINDOW) > now - WINDOW


def compare_lists(
    kept: Mapping[str, Any], listed: Mapping[str, datetime], whole: datetime | None, now: datetime
) -> tuple[dict[str, Any], list[str]]:
    """Keys of the last weeks after this list, to be remembered, and those that vanished: told before, and
    lacked by a list that is ``whole`` from an instant on. Without one they are added to the others."""
    floor = (now - WINDOW).isoformat()
    before: Mapping[str, str] = kept.get("keys", {})
    listed_at = {key: at.isoformat() for key, at in listed.items() if at.isoformat() > floor}
    if whole is None:
        recent = {key: at for key, at in before.items() if at > floor}
        return {"at": kept.get("at", now.isoformat()), "keys": {**recent, **listed_at}}, []
    since = whole.isoformat()
    gone = sorted(key for key, at in before.items() if at > since and key not in listed)
    return {"at": now.isoformat(), "keys": listed_at}, gone
