"""Days as a reporting zone has them, and the facts of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.plain.records import end_of

Facts = dict[str, float | str | None]


HOURS_24 = timedelta(hours=24)


@dataclass(frozen=True)
class Clock:
    """A day of a reporting zone: what happened on it, and what had happened when it ended."""

    day: date
    zone: ZoneInfo
    now: datetime | None = None

    @property
    def end(self) -> datetime:
        """The first instant that is no longer of the day, or now while the day lasts."""
        end = end_of(self.day, self.zone)
        return min(end, self.now) if self.now else end

    def saw(self, instant: datetime | None) -> bool:
        """Whether an instant falls on the day."""
        return instant is not None and instant.astimezone(self.zone).date() == self.day

    def past(self, instant: datetime | None) -> bool:
        """Whether something had happened before the day ended."""
        return instant is not None and instant < self.end

    def reached(self, instant: datetime | None) -> bool:
        """Whether a term had run out when the day ended, to the microsecond."""
        return instant is not None and instant <= self.end
