"""Repositories that differ in what their deployments are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.pulling import store
from ingest.pulling.choice import settling
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.test_github import deployment, stamp

NOW = datetime.now(UTC).replace(microsecond=0)
OWN = "each repository's own"


def run(number: int, days: float, file: str = "deploy.yml", conclusion: str = "success"):
    at = stamp(NOW - timedelta(days=days))
    return {"id": number, "created_at": at, "run_started_at": at, "updated_at": at,
            "conclusion": conclusion, "path": f".github/workflows/{file}"}  # fmt: skip


def release(number: int, days: float, **more):
    return {
        "tag_name": f"v{number}.0",
        "published_at": stamp(NOW - timedelta(days=days)),
        **more,
    }


def tag(name: str, days: float, **more):
    return {"name": name, "committed": stamp(NOW - timedelta(days=days)), **more}


def merge(number: int, days: float, **more):
    at = NOW - timedelta(days=days)
    return {
        "number": number,
        "merged": stamp(at),
        "authored": stamp(at - timedelta(hours=5)),
        **more,
    }


def deployed(*days: float, environment: str = "production", state: str = "SUCCESS", first: int = 1):
    return [
        deployment(first + n, NOW - timedelta(days=d), state, environment)
        for n, d in enumerate(days)
    ]


def named(fake: FakeGitHub, *names: str) -> None:
    for number, name in enumerate(names, len(fake.repositories) + 1):
        fake.repository(number, f"acme/{name}")


def choices(installed, source) -> dict[str, tuple[str, str]]:
    """Choices of the parts, and by whom."""
    with installed.context.database.job.connect() as connection:
        known = store.find_source(installed.context.database.job, source)
        parts = settling.of_parts(connection, known)
    return {part.name.removeprefix("acme/"): (part.words, part.by) for part in parts}


def seen(installed, source, name: str) -> dict[str, str]:
    """Counts of a part."""
    with installed.context.database.job.connect() as connection:
        known = store.find_source(installed.context.database.job, source)
        part = next(p for p in settling.of_parts(connection, known) if p.name.endswith(name))
    return {each.choice: each.figure for each in part.seen}


def standing(installed, slug: str = "alpha") -> list[str]:
    """Keys of the deployments that count."""
    rows = installed.rows("deployment", "key, left_out, production", slug)
    return [key for key, left_out, production in rows if left_out is None and production]
