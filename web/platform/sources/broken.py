"""Number of broken sources beside the page's name: those that fail, and those that fell silent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, Row, text

from aggregators import catalogue
from aggregators.catalogue import DOMAINS
from auth import membership
from ingest.pulling.catalogue import kinds
from layouts.executive.late import LateSource
from storage import context
from storage.database import Database
from storage.executive import memberships
from storage.sources.tables import IS_SILENT
from storage.viewer import Viewer
from web.shell.pages import ShellCount

SECONDS = 10.0
"""How long a look at the sources serves every page of a process."""
BROKEN = text(f"""
select home_workspace, name, kind, is_silent,
       extract(epoch from now() - last_success_at) as age from (
    select source.*, {IS_SILENT} as is_silent from source where enabled
) as each where state = 'failing' or is_silent order by last_success_at nulls first, id
""")


class BrokenSources:
    """Broken sources that a viewer sees: their number, and those of which figures are behind."""

    def __init__(self, engine: Callable[[], Engine], database: Callable[[], Database]) -> None:
        self._engine, self._database = engine, database
        self._rows: list[Row[Any]] = []
        self._looked = 0.0

    def __call__(self, viewer: Viewer) -> ShellCount | None:
        """The number, None where all is well."""
        number = len(self._rows_of_viewer(viewer))
        words = "does not sync" if number == 1 else "do not sync"
        return ShellCount(number, words, is_hot=True) if number else None

    def late(self, viewer: Viewer) -> list[LateSource]:
        """Sources of the viewer's that fell silent, with the domains that they feed."""
        return [
            LateSource(row.name, _domains(row.kind), row.age and float(row.age))
            for row in self._rows_of_viewer(viewer)
            if row.is_silent
        ]

    def _rows_of_viewer(self, viewer: Viewer) -> list[Row[Any]]:
        """Broken sources of the viewer's; where there are none at all nobody's workspaces are asked for."""
        rows = self._cached_rows()
        if not rows:
            return []
        with context.as_viewer(self._engine(), viewer) as connection:
            mine = memberships.memberships(connection)
        seen = {m.workspace_id for m in mine if m.role in membership.KEEPERS}
        is_wide = any(m.role == membership.PLATFORM_ADMIN for m in mine)
        return [
            row for row in rows if (row.home_workspace in seen if row.home_workspace else is_wide)
        ]

    def _cached_rows(self) -> list[Row[Any]]:
        """Every broken source, asked for anew after some seconds."""
        now = time.monotonic()
        if not self._looked or now - self._looked > SECONDS:
            with self._database().job.connect() as connection:
                self._rows = list(connection.execute(BROKEN).all())
            self._looked = now
        return self._rows


def _domains(kind: str) -> tuple[str, ...]:
    """Domains that a kind of source feeds, in their order."""
    fed = set(kinds()[kind].fills) if kind in kinds() else set()
    kept = {key: module.KINDS for key, module in catalogue.parts("kinds").items()}
    return tuple(d.key for d in DOMAINS if fed & {k.name for k in kept.get(d.key, ())})
