"""The board pack: a dashboard on paper, as a PDF. Knows no web and no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from aggregators.catalogue import COVER
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary import formats
from exports.pack import appendix, cover, domain_page
from exports.pack.comments import Comment
from exports.pack.outline import Progress, Restated
from exports.pack.paper.canvas import Canvas, Stamp


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
    restated_sentence = restated.sentence(exported_at.tzinfo) if restated else ""
    parts: list[Callable[[], None]] = [
        partial(cover.draw, canvas, dashboard, restated_sentence, commented.get(COVER)),
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
