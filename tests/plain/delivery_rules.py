"""Rules of delivery over raw records, one by one: what a roll-back undoes, when a change arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Row = dict[str, Any]
SUCCESSFUL = ("successful", "successful_with_issues")


def counts(deployment: Row) -> bool:
    """Whether a deployment counts: it ended, in production, and nobody withdrew it."""
    in_production = deployment.get("production", deployment["environment"] == "production")
    return in_production and deployment["outcome"] != "cancelled" and not deployment.get("left_out")


def reached(deployment: Row) -> bool:
    """Whether a deployment that counts reached production, be it rolled back later."""
    return counts(deployment) and deployment["outcome"] in SUCCESSFUL


def one_place(first: str, second: str) -> bool:
    """Whether two names are of one environment: both are production's, or they are the same."""
    return first == second or {first, second} <= {"production", "live"}


def whole(key: str | None, deployments: Sequence[Row]) -> str | None:
    """Key of the deployment that one counts with: of that which it is part of, else its own."""
    each = [d.get("part_of") for d in deployments if d["key"] == key]
    return each[0] if each and each[0] else key


def undone(deployments: Sequence[Row], roll_backs: Sequence[Row]) -> set[str]:
    """Keys of the deployments that were rolled back: each roll-back of a service, in time, takes the newest
    one of that service left. A deployment is of the services of its parts too."""
    gone: set[tuple[str, str, str]] = set()
    for roll_back in sorted(roll_backs, key=lambda r: (r["rolled_back_at"], r["key"])):
        environment = roll_back.get("environment", "production")
        place = "production" if one_place(environment, "production") else environment
        group = roll_back.get("service") or "", place
        left = [
            d
            for d in deployments
            if counts(d)
            and any(
                (each.get("service") or "") == group[0]
                and one_place(each["environment"], environment)
                for each in (d, *(p for p in deployments if p.get("part_of") == d["key"]))
            )
            and d["completed_at"] < roll_back["rolled_back_at"]
            and (d["key"], *group) not in gone
        ]
        if left:
            gone.add((max(left, key=order)["key"], *group))
    return {key for key, _, _ in gone}


def commits(deployment: Row, deployments: Sequence[Row], changes: Sequence[Row]) -> list[datetime]:
    """Instants from which the lead times of a deployment that reached production count: the commits of the
    changes that reached it first with this one, or its creation where its service tells no change."""
    of_service = [d for d in deployments if d.get("service") == deployment.get("service")]
    standing = {d["key"] for d in of_service if not d.get("left_out")}
    changes = [{**c, "deployment": whole(c["deployment"], deployments)} for c in changes]
    told = [c for c in changes if c["deployment"] in standing]
    if not told:
        return [deployment["created_at"]] if deployment["created_at"] else []
    found = []
    for key in sorted({c["key"] for c in told}):
        carriers = [
            (c, carrier)
            for c in told
            if c["key"] == key
            for d in of_service
            if d["key"] == c["deployment"] and (carrier := carries(d, of_service)) is not None
        ]
        mine = [c["committed_at"] for c, carrier in carriers if carrier["key"] == deployment["key"]]
        before = any(order(carrier) < order(deployment) for _, carrier in carriers)
        if mine and not before:
            found.append(min(mine))
    return found


def carries(deployment: Row, of_service: Sequence[Row]) -> Row | None:
    """The deployment that brings a deployment's changes to production: itself, or the next to succeed."""
    if not counts(deployment):
        return None
    if reached(deployment):
        return deployment
    later = [d for d in of_service if reached(d) and order(d) > order(deployment)]
    return min(later, key=order, default=None)


def order(deployment: Row) -> tuple[datetime, str]:
    """Place among the deployments of a service: by when they were complete, then by their keys."""
    return deployment["completed_at"], deployment["key"]


def undone_when(
    deployments: Sequence[tuple[str, datetime]], roll_backs: Sequence[datetime]
) -> Mapping[str, datetime]:
    """Deployments of one service and environment, (key, completed), that the roll-backs undo, with when.

    Each roll-back, in the order of time, undoes the newest deployment that was complete before it and is
    not undone yet; one that finds none undoes nothing.
    """
    waiting = sorted(deployments, key=lambda d: (d[1], d[0]))
    standing: list[str] = []
    undone_at: dict[str, datetime] = {}
    for at in sorted(roll_backs):
        while waiting and waiting[0][1] < at:
            standing.append(waiting.pop(0)[0])
        if standing:
            undone_at[standing.pop()] = at
    return undone_at
