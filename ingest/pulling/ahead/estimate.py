"""Estimate of a history: how many requests it takes, and how long, by what a look ahead saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ingest.pulling.client import RESERVED
from ingest.pulling.shape import HistoryGrowth
from ingest.pulling.wire.answers import Quota


class PartSeen(NamedTuple):
    """A part that was looked at: how many records were read, over how many days, how many of them
    succeeded."""

    read: int
    days: float
    successes: int


class Sight(NamedTuple):
    """Measure of a look: the parts that were looked at, of how many, for how many days; the requests of the
    list of parts and of the reading; the seconds of a request and of a record."""

    parts: Sequence[PartSeen]
    number: int
    days: int
    listing: int
    reading: int
    seconds_a_request: float
    seconds_a_record: float
    quota: Quota | None = None
    window: float = 3600.0


class HistoryEstimate(NamedTuple):
    """Requests and seconds that the history of so many days takes, about."""

    days: int
    requests: int
    seconds: float


def estimate(sight: Sight, growth: HistoryGrowth, days: int, compares: bool) -> HistoryEstimate:
    """The estimate of a history: of the parts that were not looked at, as of the others."""
    share = sight.number / len(sight.parts) if sight.parts else 1.0
    read = [_records(part, growth, sight.days, days) for part in sight.parts]
    reading = float(sight.reading)
    if growth.page:
        seen = sum(1 + part.read // growth.page for part in sight.parts)
        pages = sum(1 + math.floor(records / growth.page) for records in read)
        reading = max(sight.reading - seen, 0) + pages
    elif growth.span:
        reading *= math.ceil(days / growth.span) / math.ceil(sight.days / growth.span)
    if compares:
        each = zip(sight.parts, read, strict=True)
        reading += sum(part.successes / part.read * more for part, more in each if part.read)
    requests = sight.listing + math.ceil(reading * share)
    seconds = max(requests, 1) * sight.seconds_a_request
    seconds += sum(read) * share * sight.seconds_a_record
    return HistoryEstimate(days, requests, seconds + _pauses(sight, requests))


def _records(part: PartSeen, growth: HistoryGrowth, seen: int, days: int) -> float:
    """Records of a part that a history of so many days reads."""
    records = part.read * days / part.days
    if growth.is_whole and part.days > seen:
        return (1 + math.floor(records / growth.page)) * growth.page
    return records


def _pauses(sight: Sight, requests: int) -> float:
    """Seconds for which the sender's quota is waited for, a part of which is left to others."""
    quota = sight.quota
    if quota is None or not quota.limit:
        return 0.0
    lacking = requests - max(quota.remaining - quota.limit * RESERVED, 0.0)
    if lacking <= 0:
        return 0.0
    further = math.ceil(lacking / (quota.limit * (1 - RESERVED))) - 1
    return quota.wait + further * sight.window
