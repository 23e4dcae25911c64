"""Lists of all records of a kind, imported by the command as somebody types it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from aggregators.compliance.tables import asset_absence
from storage.context import job_in
from tests.ingest.test_command import RECORDS

HEADS = {
    "vendors": "key,name,tier",
    "slos": "key,target_percent",
    "incidents": "key,title,opened_at",
    "control-results": "framework,control,asset,result,assessed_at",
}
CONFIRMED = ("--authoritative", "--yes")
Listing = Callable[..., Result]


def line(kind: str, key: str, day: int = 1) -> str:
    """A line of a list; ``day`` is when an incident began, and when an asset was assessed."""
    return {
        "vendors": f"{key},Name of {key},1",
        "slos": f"{key},99",
        "incidents": f"{key},About {key},2026-11-{day:02}T09:00:00Z",
        "control-results": f"F,c,{key},compliant,2026-11-{day:02}T09:00:00Z",
    }[kind]


@pytest.fixture
def typed(database, workspaces, settings):
    """Runs ``flask records ...`` on an app with nothing but the command."""
    app = Flask("vigilo")
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(RECORDS)

    def run(*words: object) -> Result:
        with app.app_context():
            return app.test_cli_runner().invoke(args=["records", *map(str, words)])

    return run


@pytest.fixture
def listing(typed, tmp_path) -> Listing:
    """Imports files of lines of a kind, each file a list of lines or its content."""

    def run(
        kind: str,
        *files: list[str] | str,
        options: tuple[object, ...] = CONFIRMED,
        slug: str = "payments",
    ) -> Result:
        paths = []
        for number, file in enumerate(files):
            paths.append(tmp_path / f"list-{number}.csv")
            text = file if isinstance(file, str) else "\n".join([HEADS[kind], *file, ""])
            paths[-1].write_text(text, encoding="utf-8")
        given = ("--workspace", slug) if slug else ()
        return typed("import", kind, *paths, *given, *options)

    return run


@pytest.fixture
def absent(database, workspaces):
    """Assets that lists lack, each with its framework and from when on."""

    def read(slug: str = "payments") -> list[dict]:
        own = asset_absence.c.workspace_id == workspaces[slug]
        query = select(asset_absence).where(own).order_by("retired_at", "framework", "asset")
        with job_in(database.job, workspaces[slug]) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    return read


@pytest.fixture
def standing(stored, absent):
    """Keys of the records of a kind that stand: not withdrawn, or of assets not absent since their last
    result."""

    def read(kind: str, slug: str = "payments") -> list[str]:
        if kind != "control-results":
            return [r["key"] for r in stored(kind, slug) if r.get("left_out") is None]
        last = {r["asset"]: r["assessed_at"] for r in stored(kind, slug)}
        left = {r["asset"] for r in absent(slug) if r["retired_at"] > last[r["asset"]]}
        return sorted({*last} - left)

    return read
