"""Answers of GitHub's GraphQL, to the queries that are asked, from what a fake holds."""

from __future__ import annotations

from typing import Any

STATES = {"SUCCESS": "ACTIVE", "FAILURE": "FAILURE", "ERROR": "ERROR", "INACTIVE": "INACTIVE"}


def state_of(node: dict[str, Any]) -> str:
    """State of a deployment, by its newest status."""
    statuses = node["statuses"]["nodes"]
    return STATES.get(statuses[0]["state"], statuses[0]["state"]) if statuses else "PENDING"


def seen(node: dict[str, Any]) -> dict[str, Any]:
    """A deployment as it is counted."""
    own = {name: node[name] for name in ("databaseId", "createdAt", "environment")}
    return {**own, "state": state_of(node)}


def tag(told: dict[str, Any]) -> dict[str, Any]:
    """A tag: of a commit, or with words and a date of its own."""
    commit = {"__typename": "Commit", "committedDate": told["committed"]}
    if "tagged" not in told:
        return {"name": told["name"], "target": commit}
    tagger = {"date": told["tagged"]} if told["tagged"] else None
    return {
        "name": told["name"],
        "target": {"__typename": "Tag", "tagger": tagger, "target": commit},
    }


def pull(told: dict[str, Any], default: str) -> dict[str, Any]:
    """A pull request that was merged: when its first commit was made (``authored``) and its last one
    (``ended``), its merge commit with its author's time (``made``) and how many parents it has. A squash
    is made at the merge."""
    own = {"authoredDate": told.get("made", told["merged"])}
    merge = {
        "oid": told.get("oid", f"{told['number']:040x}"),
        **own,
        "parents": {"totalCount": told.get("parents", 1)},
    }
    first, last = told["authored"], told.get("ended", told["authored"])
    return {
        "number": told["number"],
        "mergedAt": told["merged"],
        "updatedAt": told.get("updated", told["merged"]),
        "baseRefName": told.get("base", default),
        "baseRepository": {"defaultBranchRef": {"name": default}},
        "mergeCommit": None if told.get("oid", "") is None else merge,
        "commits": {"nodes": [{"commit": {"authoredDate": first}}] if first else []},
        "newest": {"nodes": [{"commit": {"authoredDate": last}}] if last else []},
    }


def counted(fake: Any, name: str) -> dict[str, Any]:
    """A repository as it is counted."""
    default = fake.branches.get(name, "main")
    releases = [
        {
            "isDraft": r.get("draft", False),
            "isPrerelease": r.get("prerelease", False),
            "publishedAt": None if r.get("draft") else r["published_at"],
        }
        for r in fake.releases.get(name, [])[:100]
    ]
    merged = [pull(p, default) for p in fake.pulls.get(name, [])[:100]]
    return {
        "isFork": name in fake.forks,
        "defaultBranchRef": {"name": default},
        "deployments": {"nodes": [seen(n) for n in fake.deployments[name][:100]]},
        "releases": {"nodes": releases},
        "refs": {"nodes": [tag(t) for t in fake.tags.get(name, [])[:100]]},
        "pullRequests": {"nodes": [{k: p[k] for k in ("mergedAt", "baseRefName")} for p in merged]},
    }
