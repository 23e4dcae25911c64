"""How long something that is sent, a mail or a message to a webhook, is tried again."""

from __future__ import annotations

from datetime import timedelta

GIVE_UP = timedelta(hours=24)
LEASE = timedelta(minutes=2)
"""How long an attempt may take before somebody else makes the next one."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=30)


def wait_after(attempts: int, first: timedelta = FIRST_WAIT) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, up to a bound."""
    return min(first * (1 << min(attempts - 1, 10)), LONGEST_WAIT)
