"""A board pack as it is asked for: its parts, its name, what it tells. No fonts are imported for that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aggregators.vocabulary import formats

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


def file_name(exported_at: datetime) -> str:
    """``vigilo-executive-20261123.pdf`` for an instant in the reporting zone."""
    return f"vigilo-executive-{exported_at:%Y%m%d}.pdf"
