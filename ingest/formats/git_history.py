"""Delivery as a git history tells it: a CSV of release tags and one of the commits in each.

Tags: workspace, train, tag, environment, deployed_at, failed_proxy (1 where a fix or a revert
followed soon). Commits: workspace, tag, commit_sha, authored_at. A change begins when its author
made it: the committer's date is rewritten by each rebase, and squashing at release sets it to the
release or even after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ingest.formats.csv import rows
from ingest.formats.form import Format, Reader
from ingest.reader import FormatInput, RawRecord

_OUTCOMES = {"1": "failed", "0": "successful", "": "successful"}


def _outcome(cell: str) -> str:
    return _OUTCOMES.get(cell, cell)


def _title(slug: str) -> str:
    return slug.replace("-", " ").title()


def _reader(columns: dict[str, str], **translations: Callable[[str], str]) -> Reader:
    """Reads CSV with other names (ours to theirs); ``translations`` turns some of their words into ours."""

    def read(reading: FormatInput) -> Iterator[RawRecord]:
        for raw in rows(reading, columns):
            changed = {
                name: translate(raw.cells[name])
                for name, translate in translations.items()
                if name in raw.cells
            }
            yield raw._replace(cells={**raw.cells, **changed})

    return read


FORMAT = Format(
    "git-history",
    {
        "workspaces": _reader({"slug": "workspace", "name": "workspace"}, name=_title),
        "deployments": _reader(
            {
                "workspace": "workspace",
                "key": "tag",
                "completed_at": "deployed_at",
                "environment": "environment",
                "outcome": "failed_proxy",
                "service": "train",
            },
            outcome=_outcome,
        ),
        "changes": _reader(
            {
                "workspace": "workspace",
                "deployment": "tag",
                "key": "commit_sha",
                "committed_at": "authored_at",
            }
        ),
    },
    "CSV of release tags, and of the commits in each",
)
