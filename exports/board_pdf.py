"""The board pack: a dashboard on paper, as a PDF. Knows no web and no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial

from aggregators.catalogue import COVER
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary import formats
from exports.pack import appendix, cover, domain_page
from exports.pack.comments import Comment
from exports.pack.paper.canvas import Canvas, Stamp

TOLD = 3
"""Restated figures that the cover names."""
Progress = Callable[[int, int], None]
"""Told how many of how many parts are drawn."""


@dataclass(frozen=True, slots=True)
class Restated:
    """Figures that an earlier export of the same days gave otherwise: when it was made, and (figure, then,
    now)."""

    since: datetime
    changes: tuple[tuple[str, str, str], ...]

    def sentence(self, zone: tzinfo | None) -> str:
        """The cover's sentence, the day in the reporting zone."""
        when = formats.day(self.since.astimezone(zone).date())
        some = [f"{name} was {then}, is {now}" for name, then, now in self.changes[:TOLD]]
        more = len(self.changes) - len(some)
        rest = f"; and {formats.counted(more, 'more figure')}" if more else ""
        return f"Restated since the export of {when}: {'; '.join(some)}{rest}."


COVER_AND_APPENDIX = 2
"""Parts beside the domains' pages."""


def draw(
    dashboard: Dashboard,
    *,
    requested_by: str,
    exported_at: datetime,
    export_id: str,
    progress: Progress | None = None,
    restated: Restated | None = None,
    comments: Mapping[str, Comment] | None = None,
) -> bytes:
    """The pack as the bytes of a PDF/A-2u file: cover, a page a domain, the appendix.

    ``requested_by`` (an e-mail) and ``exported_at`` (an aware instant in the reporting zone) stand on
    every page, ``export_id`` in every footer and in the metadata. ``progress`` is called after each
    part, ``restated`` told on the cover, ``comments`` on the cover and the pages of their domains. The
    same arguments give the same bytes. Raises ValueError when the instant has no zone.
    """
    if exported_at.tzinfo is None:
        raise ValueError("exported_at needs a zone")
    canvas = Canvas(Stamp(requested_by, exported_at, export_id))
    canvas.describe(
        f"{dashboard.organisation}: Executive dashboard",
        f"Board pack, {formats.span(dashboard.period.span)}",
        dashboard.organisation,
    )
    commented = comments or {}
    told = restated.sentence(exported_at.tzinfo) if restated else ""
    parts: list[Callable[[], None]] = [
        partial(cover.draw, canvas, dashboard, told, commented.get(COVER)),
        *(
            partial(domain_page.draw, canvas, dashboard, card, commented.get(card.domain.key))
            for card in dashboard.scorecards
        ),
        partial(appendix.draw, canvas, dashboard),
    ]
    for done, part in enumerate(parts, 1):
        part()
        if progress:
            progress(done, len(parts))
    return canvas.finish()


def file_name(exported_at: datetime) -> str:
    """``vigilo-executive-20261123.pdf`` for an instant in the reporting zone."""
    return f"vigilo-executive-{exported_at:%Y%m%d}.pdf"
