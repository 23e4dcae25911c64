"""Objects of GitHub's REST API, whole: what a test says of one, and every other field that GitHub sends."""

from __future__ import annotations

import base64
from typing import Any

API, SITE = "https://api.github.com", "https://github.com"
OF_REPOSITORY = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
]
OF_USER = [
    "followers",
    "following",
    "gists",
    "starred",
    "subscriptions",
    "organizations",
    "repos",
    "events",
    "received_events",
]
OF_RUN = ["jobs", "logs", "check_suite", "cancel", "rerun", "artifacts"]
WHEN = "2026-01-01T00:00:00Z"


def node_id(kind: str, id: Any) -> str:
    return base64.b64encode(f"{kind}{id}".encode()).decode()


def user(login: str) -> dict[str, Any]:
    """An account, or an organisation as an owner."""
    own = f"{API}/users/{login}"
    return {
        "login": login,
        "id": 7,
        "node_id": node_id("User", 7),
        "avatar_url": f"{SITE}/{login}.png",
        "gravatar_id": "",
        "url": own,
        "html_url": f"{SITE}/{login}",
        **{f"{name}_url": f"{own}/{name}" for name in OF_USER},
        "type": "Organization",
        "site_admin": False,
    }


def repository(told: dict[str, Any]) -> dict[str, Any]:
    """A repository as lists have it."""
    name, own = told["full_name"], f"{API}/repos/{told['full_name']}"
    return {
        "node_id": node_id("Repository", told["id"]),
        "private": True,
        "owner": user(name.split("/")[0]),
        "html_url": f"{SITE}/{name}",
        "description": None,
        "fork": False,
        "archived": False,
        "disabled": False,
        "url": own,
        **{f"{each}_url": f"{own}/{each}" for each in OF_REPOSITORY},
        **told,
    }


def deployment(name: str, node: dict[str, Any]) -> dict[str, Any]:
    """A deployment, as GraphQL's ``node`` has it."""
    own = f"{API}/repos/{name}/deployments/{node['databaseId']}"
    return {
        "id": node["databaseId"],
        "node_id": node_id("Deployment", node["databaseId"]),
        "sha": node["commitOid"],
        "ref": "main",
        "task": "deploy",
        "payload": {},
        "environment": node["environment"],
        "description": None,
        "creator": user("octo"),
        "created_at": node["createdAt"],
        "updated_at": node["updatedAt"],
        "statuses_url": f"{own}/statuses",
        "repository_url": f"{API}/repos/{name}",
        "url": own,
        "production_environment": node.get("production", node["environment"] == "production"),
    }


def status(name: str, id: int, number: int, node: dict[str, Any]) -> dict[str, Any]:
    """A status of a deployment."""
    own = f"{API}/repos/{name}/deployments/{id}"
    return {
        "id": number,
        "node_id": node_id("DeploymentStatus", number),
        "state": node["state"].lower(),
        "creator": user("octo"),
        "description": "",
        "created_at": node["createdAt"],
        "updated_at": node["createdAt"],
        "target_url": "",
        "deployment_url": own,
        "repository_url": f"{API}/repos/{name}",
        "url": f"{own}/statuses/{number}",
    }


def commit(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """A commit; ``told`` has its hash, who wrote it when, and its parents."""
    sha, own = told["sha"], f"{API}/repos/{name}/commits/{told['sha']}"
    author = {"name": "Octo", "email": "octo@example.com", "date": WHEN, **told["commit"]["author"]}
    return {
        "url": own,
        "sha": sha,
        "node_id": node_id("Commit", sha),
        "html_url": f"{SITE}/{name}/commit/{sha}",
        "comments_url": f"{own}/comments",
        "commit": {
            "url": own,
            "author": author,
            "committer": author,
            "message": "A change",
            "comment_count": 0,
            "tree": {"sha": sha, "url": f"{API}/repos/{name}/git/trees/{sha}"},
        },
        "author": user("octo"),
        "committer": user("octo"),
        "parents": [
            {"sha": p, "url": f"{API}/repos/{name}/commits/{p}"} for p in told.get("parents", ())
        ],
    }


def comparison(name: str, base: str, head: str, commits: list[dict[str, Any]]) -> dict[str, Any]:
    """Commits that one commit has and another lacks."""
    own = f"{SITE}/{name}/compare/{base}...{head}"
    origin = commit(name, {"sha": base, "commit": {"author": {}}})
    return {
        "url": f"{API}/repos/{name}/compare/{base}...{head}",
        "html_url": own,
        "permalink_url": own,
        "diff_url": f"{own}.diff",
        "patch_url": f"{own}.patch",
        "base_commit": origin,
        "merge_base_commit": origin,
        "status": "ahead" if commits else "identical",
        "ahead_by": len(commits),
        "behind_by": 0,
        "total_commits": len(commits),
        "commits": [commit(name, each) for each in commits],
        "files": [],
    }


def release(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """A release."""
    tag, number = told["tag_name"], abs(hash(told["tag_name"])) % 10**6
    own = f"{API}/repos/{name}/releases/{number}"
    return {
        "url": own,
        "html_url": f"{SITE}/{name}/releases/tag/{tag}",
        "assets_url": f"{own}/assets",
        "upload_url": f"{own}/assets{{?name,label}}",
        "tarball_url": f"{API}/repos/{name}/tarball/{tag}",
        "zipball_url": f"{API}/repos/{name}/zipball/{tag}",
        "id": number,
        "node_id": node_id("Release", number),
        "target_commitish": "main",
        "name": tag,
        "body": "",
        "draft": False,
        "prerelease": False,
        "created_at": told["published_at"],
        "author": user("octo"),
        "assets": [],
        **told,
    }


def run(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """A run of a workflow."""
    id, own = told["id"], f"{API}/repos/{name}/actions/runs/{told['id']}"
    sha = f"{id:040x}"
    whole = repository({"id": 1, "full_name": name, "name": name.split("/")[1]})
    return {
        "node_id": node_id("WorkflowRun", id),
        "name": "Deploy",
        "path": ".github/workflows/deploy.yml",
        "display_title": "A change",
        "head_branch": "main",
        "head_sha": sha,
        "run_number": id,
        "run_attempt": 1,
        "event": "push",
        "status": "completed",
        "workflow_id": 1,
        "url": own,
        "html_url": f"{SITE}/{name}/actions/runs/{id}",
        **{f"{each}_url": f"{own}/{each}" for each in OF_RUN},
        "workflow_url": f"{API}/repos/{name}/actions/workflows/1",
        "pull_requests": [],
        "head_commit": {"id": sha, "tree_id": sha, "message": "A change",
                        "timestamp": told["created_at"],
                        "author": {"name": "Octo", "email": "octo@example.com"}, "committer": None},
        "head_repository": whole,
        "repository": whole,
        **told,
    }  # fmt: skip


def refused(status_code: int, message: str) -> dict[str, str]:
    """Body of a refusal."""
    told = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    return {**told, "status": str(status_code)}
