"""Rules of compliance over raw records, one by one: which assets are there, the worst result over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
TICK = timedelta(microseconds=1)
UNSEEN = timedelta(days=90)
Unseen = Callable[[datetime], timedelta]
"""Time without a result after which an asset has left, by the instant of its last one."""


def ninety(_: datetime) -> timedelta:
    """Time that holds where nobody says otherwise."""
    return UNSEEN


GRAVEST_FIRST = ["non_compliant", "partial", "not_assessed", "compliant", "not_applicable"]
NEVER = datetime.max.replace(tzinfo=UTC)


def standing_results(
    results: list[Row], retired: list[Row], when: datetime, unseen: Unseen = ninety
) -> list[Row]:
    """The latest result of each control of each asset before an instant, of the assets that are there."""
    told = [r for r in results if r["assessed_at"] < when]
    latest = {(r["framework"], r["control"], _asset(r)): r for r in sorted(told, key=_assessed)}
    return [r for r in latest.values() if not _left(r, told, retired, when, unseen)]


def worst_results(
    results: list[Row], retired: list[Row], when: datetime, unseen: Unseen = ninety
) -> list[Row]:
    """A row per control that was ever assessed before an instant: the worst over its assets, the end of
    its evidence, and how many assets it has and how many are like it."""
    standing = standing_results(results, retired, when, unseen)
    told: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in results:
        if row["assessed_at"] < when:
            told[row["framework"], row["control"]].append(row)
    found = []
    for (framework, control), rows in told.items():
        mine = [r for r in standing if (r["framework"], r["control"]) == (framework, control)]
        worst = min((r["result"] for r in mine), key=GRAVEST_FIRST.index, default="not_assessed")
        like = [r for r in mine if r["result"] == worst]
        ends = [r["valid_until"] for r in like if worst == "compliant" and r["valid_until"]]
        found.append(
            {
                "framework": framework,
                "control": control,
                "result": worst,
                "valid_until": min(ends, default=None),
                "assets": sum(1 for r in mine if _asset(r)),
                "assets_like_it": sum(1 for r in like if _asset(r)),
                "last_assessed_at": max(map(_assessed, rows)),
            }
        )
    return found


def _asset(row: Row) -> str:
    return str(row.get("asset") or "")


def _assessed(row: Row) -> datetime:
    return row["assessed_at"]  # type: ignore[no-any-return]


def _retired_at(row: Row, retired: list[Row]) -> datetime:
    return min(
        (
            r["retired_at"]
            for r in retired
            if r["asset"] == _asset(row)
            and r["framework"] in ("", row["framework"])
            and r["retired_at"] > row["assessed_at"]
        ),
        default=NEVER,
    )


def _left(row: Row, told: list[Row], retired: list[Row], when: datetime, unseen: Unseen) -> bool:
    """Whether the row's asset was retired since, or away at any time between the row and the instant."""
    if not _asset(row):
        return False
    if _retired_at(row, retired) < when:
        return True
    mine = [r for r in told if _asset(r) == _asset(row)]
    ends = {when, *(r["assessed_at"] + unseen(r["assessed_at"]) + TICK for r in mine)}
    ends |= {r["valid_until"] + TICK for r in mine if r["valid_until"]}
    ends |= {_retired_at(r, retired) + TICK for r in mine if _retired_at(r, retired) < when}
    moments = [m for m in ends if row["assessed_at"] < m <= when]
    return any(not _there(mine, retired, moment, unseen) for moment in moments)


def _there(mine: list[Row], retired: list[Row], moment: datetime, unseen: Unseen) -> bool:
    """Whether an asset was seen within the days before, or evidence that stands holds."""
    for row in (r for r in mine if r["assessed_at"] < moment):
        if moment <= row["assessed_at"] + unseen(row["assessed_at"]):
            return True
        same = ("framework", "control")
        replaced = any(
            row["assessed_at"] < r["assessed_at"] < moment and all(r[k] == row[k] for k in same)
            for r in mine
        )
        gone = replaced or _retired_at(row, retired) < moment
        if row["valid_until"] and moment <= row["valid_until"] and not gone:
            return True
    return False
