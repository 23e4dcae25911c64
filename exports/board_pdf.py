"""The board pack: a dashboard on paper, as a PDF. Knows no web and no database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aggregators import words
from aggregators.figures import Dashboard
from exports.pack import appendix, cover, domain_page
from exports.pack.canvas import Canvas, Stamp

TOLD = 3
"""Restated figures that the cover names."""
Progress = Callable[[int, int], None]
"""Told how many of how many parts are drawn."""


@dataclass(frozen=True, slots=True)
class Restated:
    """What an earlier export of the same days said otherwise: when it was made, and (figure, then, now)."""

    since: datetime
    changes: tuple[tuple[str, str, str], ...]


def draw(
    dashboard: Dashboard,
    *,
    requested_by: str,
    exported_at: datetime,
    export_id: str,
    progress: Progress | None = None,
    restated: Restated | None = None,
) -> bytes:
    """The pack as the bytes of a PDF/A-2u file: cover, a page a domain, the appendix.

    ``requested_by`` (an e-mail) and ``exported_at`` (an aware instant in the reporting zone) stand on
    every page, ``export_id`` in every footer and in the metadata. ``progress`` is called after each
    part, ``restated`` told on the cover. The same arguments give the same bytes. Raises ValueError
    when the instant has no zone.
    """
    if exported_at.tzinfo is None:
        raise ValueError("exported_at needs a zone")
    canvas = Canvas(Stamp(requested_by, exported_at, export_id))
    canvas.describe(
        f"{dashboard.organisation}: Executive dashboard",
        f"Board pack, {words.span(dashboard.period.span)}",
        dashboard.organisation,
    )
    parts: list[Callable[[], None]] = [
        partial(cover.draw, canvas, dashboard, _told(restated, exported_at)),
        *(partial(domain_page.draw, canvas, dashboard, card) for card in dashboard.scorecards),
        partial(appendix.draw, canvas, dashboard),
    ]
    for done, part in enumerate(parts, 1):
        part()
        if progress:
            progress(done, len(parts))
    return canvas.finish()


def _told(restated: Restated | None, exported_at: datetime) -> str:
    """The cover's sentence, or nothing."""
    if restated is None:
        return ""
    when = words.day(restated.since.astimezone(exported_at.tzinfo).date())
    some = [f"{name} was {then}, is {now}" for name, then, now in restated.changes[:TOLD]]
    more = len(restated.changes) - len(some)
    rest = f"; and {words.counted(more, 'more figure')}" if more else ""
    return f"Restated since the export of {when}: {'; '.join(some)}{rest}."


def file_name(exported_at: datetime) -> str:
    """``vigilo-executive-20261123.pdf`` for an instant in the reporting zone."""
    return f"vigilo-executive-{exported_at:%Y%m%d}.pdf"
