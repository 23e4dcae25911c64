"""Settings of how the organisation is called and counts: what they take and what holds where nobody says
otherwise, be they given by the environment or chosen on a page."""

from __future__ import annotations

import unicodedata
from datetime import date
from zoneinfo import available_timezones

LONGEST_NAME = 120
"""Characters of the organisation's name."""
SPRINT_DAYS, MOST_SPRINT_DAYS = 14, 90
REVIEW_DAYS = (365, 365, 730, 730)
"""Days between vendor reviews, by tier."""
POSTMORTEM_DAYS, MOST_POSTMORTEM_DAYS = 7, 90
ASSET_DAYS = 90
"""Days without a result after which an asset has left."""
MOST_DAYS = 3660
"""Most days that a cadence, or anything that is kept, may take."""
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Years of every day that is counted or asked for."""
CONTROLS = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, halves of characters and line ends."""
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows."""


def is_harmless(character: str) -> bool:
    """Whether text on one line may hold the character."""
    return unicodedata.category(character) not in CONTROLS and character not in OVERRIDES


def known_zone(name: str) -> str:
    """The name of a time zone. Raises ValueError for one that there is not."""
    if name not in available_timezones():
        raise ValueError("takes an IANA time zone such as Europe/Berlin")
    return name


def of_its_years(day: date | None) -> date | None:
    """A day within the years that are counted. Raises ValueError."""
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"takes a date from {FIRST_YEAR}-01-01 to {LAST_YEAR}-12-31")
    return day
