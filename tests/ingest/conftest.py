"""Three workspaces, and a way to import a few lines of CSV into them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from ingest.importer import load
from ingest.kinds import KINDS
from ingest.report import ImportOutcome
from storage import tables
from storage.context import job_in

SLUGS = ("payments", "search", "edge-cdn")
Bring = Callable[..., ImportOutcome]


@pytest.fixture
def workspaces(database) -> dict[str, int]:
    """Slug to id."""
    with database.job.begin() as connection:
        connection.execute(
            insert(tables.workspace), [{"slug": s, "name": s.title()} for s in SLUGS]
        )
        return dict(
            connection.execute(select(tables.workspace.c.slug, tables.workspace.c.id)).all()
        )


@pytest.fixture
def bring(database, workspaces, tmp_path: Path) -> Bring:
    """Imports one file of this content (text or bytes)."""

    def run(kind: str, content: str | bytes, name: str = "file.csv", **options) -> ImportOutcome:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (outcome,) = load(database, KINDS[kind], [path], **options)
        assert outcome.read == (
            outcome.written + outcome.unchanged + outcome.rejected + outcome.withheld
        )
        return outcome

    return run


@pytest.fixture
def stored(database, workspaces):
    """The rows of a kind's table in one workspace, by its key order."""

    def read(kind: str, slug: str = "payments") -> list[dict]:
        table = KINDS[kind].table
        with job_in(database.job, workspaces[slug]) as connection:
            query = select(table).order_by(*table.primary_key.columns)
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [{k: v for k, v in row.items() if k != "workspace_id"} for row in rows]

    return read
