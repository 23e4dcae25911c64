"""Periods: presets, custom ranges, what they are compared with, series points, sprints. Pure dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from counting_settings import FIRST_YEAR, LAST_YEAR

PRESETS = (7, 28, 90, 365)
"""Days of the periods that can be chosen by name; any other number of them is an ``InvalidPeriod``."""
DEFAULT_PRESET = 28
MAX_DAYS = 366
ENOUGH_POINTS, STEPS = 31, (1, 2, 4, 7, 14, 28)
"""A series takes the smallest step that keeps it within so many points. Every step divides the longer
trailing window, so that a point's window begins where another point ends."""
EARLIEST, LATEST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
TRAILING_WINDOWS = (7, 28)
"""Days that a point of a pooled series looks back over; the snapshot holds the quantiles of each."""
SPRINT_ANCHOR = date(1970, 1, 5)
"""A Monday: sprints are counted from it, so every installation agrees where one starts."""


class Compare(StrEnum):
    """Days that a period is compared with: those before it, the same ones a year ago, none."""

    PREVIOUS = "previous"
    YEAR = "year"
    NONE = "none"


class InvalidPeriod(ValueError):
    """A period that can not be: ``field`` names the parameter (period, start, end or compare)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def day(number: int) -> timedelta:
    """n days."""
    return timedelta(days=number)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Whole days from ``start`` to ``end``, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.end - self.start).days + 1

    @property
    def before(self) -> Span:
        """The span of the same length immediately before."""
        return Span(self.start - day(self.days), self.start - day(1))

    @property
    def year_ago(self) -> Span:
        """The span of the same length that ends on the same day a year ago; for 29 February on the 28th.
        Where a leap day lies between, it begins a day later or earlier than the calendar's: counts of
        spans of unlike length could not be compared."""
        leap = (self.end.month, self.end.day) == (2, 29)
        end = self.end.replace(year=self.end.year - 1, day=28 if leap else self.end.day)
        return Span(end - day(self.days - 1), end)


@dataclass(frozen=True, slots=True)
class Period:
    """Period of a dashboard: a span, the preset it came from (None when custom), and what it is compared
    with."""

    span: Span
    preset: int | None = None
    compare: Compare = Compare.PREVIOUS

    @property
    def start(self) -> date:
        """First day."""
        return self.span.start

    @property
    def end(self) -> date:
        """Last day, included."""
        return self.span.end

    @property
    def days(self) -> int:
        """Length in days."""
        return self.span.days

    @property
    def previous(self) -> Span:
        """The days of the same length that it is compared with; those before it where it is with none."""
        return self.span.year_ago if self.compare is Compare.YEAR else self.span.before

    @property
    def plain(self) -> Period:
        """The period as it is where nobody chose a comparison."""
        return replace(self, compare=Compare.PREVIOUS)

    @property
    def query(self) -> str:
        """The URL query that asks for it again: a preset stays rolling, a custom range absolute."""
        beside = "" if self.compare is Compare.PREVIOUS else f"&compare={self.compare}"
        if self.preset:
            return f"period={self.preset}{beside}"
        return f"start={self.start.isoformat()}&end={self.end.isoformat()}{beside}"

    @property
    def step(self) -> int:
        """Days between two points of a series: the smallest that keeps it within ENOUGH_POINTS."""
        return next(step for step in STEPS if -(-self.days // step) <= ENOUGH_POINTS)

    @property
    def window(self) -> int:
        """Days that one point of a pooled series looks back over, itself included.

        A single day of a small team is noise (1 of 2 deployments failed: 50 %), so each point
        pools a week, or four weeks when the period is over 31 days.
        """
        short, long = TRAILING_WINDOWS
        return short if self.step == 1 else long

    def points(self, span: Span | None = None) -> list[date]:
        """The last day of each point of the series over ``span`` (this period when None), ascending."""
        span = span or self.span
        count = -(-span.days // self.step)
        return [span.end - day(self.step * i) for i in reversed(range(count))]


def rolling(preset: int, as_of: date) -> Period:
    """The last ``preset`` days that end at ``as_of``."""
    if preset not in PRESETS:
        raise _no_preset()
    return Period(Span(as_of - day(preset - 1), as_of), preset)


def _no_preset() -> InvalidPeriod:
    return InvalidPeriod("period", f"must be one of {', '.join(map(str, PRESETS))}")


def custom(start: date, end: date, today: date) -> Period:
    """The range start..end. Raises InvalidPeriod naming the parameter that is wrong."""
    for field, value in (("start", start), ("end", end)):
        if not EARLIEST <= value <= LATEST:
            raise InvalidPeriod(field, f"must lie between {EARLIEST} and {LATEST}")
        if value > today:
            raise InvalidPeriod(field, f"must not lie in the future (today is {today.isoformat()})")
    if end < start:
        raise InvalidPeriod("end", "must not be before the start")
    if (end - start).days + 1 > MAX_DAYS:
        raise InvalidPeriod("end", f"must be at most {MAX_DAYS} days from the start, both included")
    return Period(Span(start, end))


def parse_day(field: str, text: str) -> date:
    """A YYYY-MM-DD date. Raises InvalidPeriod naming ``field``."""
    try:
        if len(text) == 10 and text.isascii():
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidPeriod(field, "must be a date as YYYY-MM-DD")


@dataclass(frozen=True, slots=True)
class Ask:
    """A period as asked for, before the last snapshot day is known."""

    preset: int | None = DEFAULT_PRESET
    start: date | None = None
    end: date | None = None
    compare: Compare = Compare.PREVIOUS

    @classmethod
    def parse(
        cls, period: str | None, start: str | None, end: str | None, compare: str | None = None
    ) -> Ask:
        """From the four query parameters, each None when absent. Raises InvalidPeriod."""
        return replace(cls._days(period, start, end), compare=_compare(compare))

    @property
    def plain(self) -> Ask:
        """The ask as it is where nobody chose a comparison."""
        return replace(self, compare=Compare.PREVIOUS)

    @classmethod
    def _days(cls, period: str | None, start: str | None, end: str | None) -> Ask:
        if period is not None and (start is not None or end is not None):
            raise InvalidPeriod("period", "must not be combined with start and end")
        if start is not None or end is not None:
            if start is None or end is None:
                missing = "end" if end is None else "start"
                raise InvalidPeriod(missing, "is missing: start and end go together")
            return cls(None, parse_day("start", start), parse_day("end", end))
        if period is None:
            return cls()
        if period not in map(str, PRESETS):
            raise _no_preset()
        return cls(int(period))

    def on(self, as_of: date, today: date) -> Period:
        """The period itself, rolling presets ending at ``as_of``. Raises InvalidPeriod."""
        if self.start is not None and self.end is not None:
            return replace(custom(self.start, self.end, today), compare=self.compare)
        return replace(rolling(self.preset or DEFAULT_PRESET, as_of), compare=self.compare)


ASKED = ("period", "start", "end", "compare")
"""Parameters of an ``Ask``, in the order in which ``parse`` takes them."""


def _compare(text: str | None) -> Compare:
    try:
        return Compare.PREVIOUS if text is None else Compare(text)
    except ValueError:
        raise InvalidPeriod("compare", f"must be one of {', '.join(Compare)}") from None


def completed_sprints(length: int, as_of: date, count: int) -> list[Span]:
    """The last ``count`` sprints of ``length`` days that ended on or before ``as_of``, oldest first."""
    elapsed = ((as_of - SPRINT_ANCHOR).days + 1) // length
    starts = [SPRINT_ANCHOR + day(length * (elapsed - i)) for i in range(count, 0, -1)]
    return [Span(start, start + day(length - 1)) for start in starts]
