"""Sentences of a drift, on the signals page and in the digest, from the raw records of those days."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Unit
from exports.digest.message import DigestMessage, message
from exports.digest.news import signals_of
from reading.signals import night
from tests.conftest import TODAY
from tests.stored_rows import built_once
from tests.world import World, at

LAST = TODAY - timedelta(days=1)
DAYS = [LAST - timedelta(days=n) for n in reversed(range(160))]
DRIFT = LAST - timedelta(days=24)
HALF_LIFE, LAG, PRIOR = 150, 28, 8
"""Days of fading, the newest day of what is usual, and attempts by which it is drawn to everybody's: as
docs/signal.md states them."""
SENTENCE = re.compile(
    r"(?P<name>[A-Z][\w ]+?): (?P<measure>.+?) (?:drifts|may be drifting), (?P<usual>.+?) to (?P<now>.+?),"
    r" since (?P<since>\d+ \w+ \d{4}), give or take (?P<days>\d+) days\. (?:Likely|Sure|Very sure)\."
    r"(?: (?P<impact>About .+?|Each .+?)\.)?(?: In the same 28 days: (?P<moved>.+)\.)?"
)
PART = re.compile(r"([a-zA-Z][\w ,]*?) ([+\N{MINUS SIGN}\d].*?|No change)(?:; |$)")
TOGETHER = "All your workspaces together"
Raw = Mapping[str, list[dict[str, object]]]


def deployments(numbers: np.random.Generator, *, drifts: bool) -> list[dict[str, object]]:
    return [
        {
            "key": f"{day}-{n}",
            "completed_at": at(day, n + 1),
            "outcome": "failed"
            if numbers.random() < (0.5 if drifts and day >= DRIFT else 0.1)
            else "successful",
            "environment": "production",
        }
        for day in DAYS
        for n in range(8)
    ]


def incidents(numbers: np.random.Generator, *, drifts: bool) -> list[dict[str, object]]:
    rows = []
    for day in DAYS:
        for n in range(3):
            opened = at(day, 3 * n + 1)
            usual = 7200 if drifts and day >= DRIFT else 1800
            taken = timedelta(seconds=round(usual * math.exp(numbers.normal(0, 0.4))))
            row = {"key": f"{day}-{n}", "severity": "p3", "opened_at": opened}
            rows.append({**row, "acknowledged_at": None, "resolved_at": opened + taken})
    return rows


@pytest.fixture(scope="module")
def raw() -> dict[str, Raw]:
    """Three calm workspaces, one whose deployments fail, one whose incidents take longer."""
    numbers = np.random.default_rng(8)
    return {
        slug: {
            "deployment": deployments(numbers, drifts=slug == "payments"),
            "incident": incidents(numbers, drifts=slug == "search"),
        }
        for slug in ("calm", "quiet", "still", "payments", "search")
    }


@pytest.fixture
def told(database, settings, raw) -> DigestMessage:
    return built_once(
        database, __name__, lambda: message_of_the_night(World(database, settings), raw)
    )


def message_of_the_night(world: World, raw) -> DigestMessage:
    alice = world.person("alice@x.example")
    for slug, records in raw.items():
        made = world.workspace(slug)
        world.member(alice, made, "platform_admin")
        for table, rows in records.items():
            world.add(made, table, rows)
    world.backfill(DAYS[0], LAST)
    night.run(world.database, LAST)
    news = signals_of(world.database, alice, LAST, world.settings).since(None)
    return message(news, "Northwind Group", "https://vigilo.example")


def faded(day: date) -> float:
    """Weight of a day in what is usual."""
    age = (LAST - timedelta(days=LAG) - day).days
    return 0.5 ** (age / HALF_LIFE) if age >= 0 else 0.0


def weighed(
    rows: Iterable[Mapping[str, object]], instant: str
) -> list[tuple[float, Mapping[str, object]]]:
    return [(faded(_day(row[instant])), row) for row in rows]


def _day(instant: object) -> date:
    assert isinstance(instant, datetime)
    return instant.date()


def failed(row: Mapping[str, object]) -> bool:
    return row["outcome"] == "failed"


def since(matched: re.Match[str]) -> date:
    return datetime.strptime(matched["since"], "%d %b %Y").date()


def test_each_drift_says_what_the_records_of_those_days_say(told, raw):
    lines = {line.text for section in told.sections for line in section.lines}
    drifts = [matched for line in lines if (matched := SENTENCE.fullmatch(line))]
    by_name = {(drift["name"], drift["measure"]): drift for drift in drifts}
    own = {("Payments", "change failure rate"), ("Search", "MTTR, typical")}
    together = {(TOGETHER, measure) for _, measure in own}
    assert set(by_name) == own | together, lines
    assert told.subject == f"Northwind Group: 4 new signals, night of {formats.day(LAST)}"
    for drift in drifts:
        assert abs((since(drift) - DRIFT).days) <= int(drift["days"])
    check_ratio(by_name["Payments", "change failure rate"], raw)
    check_durations(by_name["Search", "MTTR, typical"], raw["search"]["incident"])
    check_ratio_together(by_name[TOGETHER, "change failure rate"], raw)
    every = [row for records in raw.values() for row in records["incident"]]
    check_durations(by_name[TOGETHER, "MTTR, typical"], every)
    for (name, measure), drift in by_name.items():
        records = raw.values() if name == TOGETHER else [raw[name.lower()]]
        check_moved(measure, drift["moved"], list(records))


def check_ratio(drift: re.Match[str], raw: Mapping[str, Raw]) -> None:
    """Failed of all since that day; what was usual fades, and is drawn a little to everybody's."""
    own = raw["payments"]["deployment"]
    recent = [row for row in own if _day(row["completed_at"]) >= since(drift)]
    now = sum(map(failed, recent)) / len(recent)
    every = [
        pair for records in raw.values() for pair in weighed(records["deployment"], "completed_at")
    ]
    pooled = sum(weight for weight, row in every if failed(row)) / sum(
        weight for weight, _ in every
    )
    mine = weighed(own, "completed_at")
    weight_failed = sum(weight for weight, row in mine if failed(row))
    usual = (weight_failed + PRIOR * pooled) / (sum(weight for weight, _ in mine) + PRIOR)
    assert (drift["usual"], drift["now"]) == (
        f"{usual:.1%}".replace("%", " %"),
        f"{now:.1%}".replace("%", " %"),
    )
    month = [row for row in own if _day(row["completed_at"]) > LAST - timedelta(days=28)]
    more = round((now - usual) * len(month))
    assert drift["impact"] == f"About {more} more in 28 days than usual, if it goes on"


def check_ratio_together(drift: re.Match[str], raw: Mapping[str, Raw]) -> None:
    """The sum of all is drawn to nobody's."""
    every = [row for records in raw.values() for row in records["deployment"]]
    recent = [row for row in every if _day(row["completed_at"]) >= since(drift)]
    weights = weighed(every, "completed_at")
    usual = sum(w for w, row in weights if failed(row)) / sum(w for w, _ in weights)
    now = sum(map(failed, recent)) / len(recent)
    told = (f"{share:.1%}".replace("%", " %") for share in (usual, now))
    assert (drift["usual"], drift["now"]) == tuple(told)


def check_moved(measure: str, moved: str | None, records: list[Raw]) -> None:
    """Successful deployments a day, in these 28 days and the ones before; and of all together, where both
    drift, the failures beside the times."""
    assert moved
    parts = dict(PART.findall(moved))
    now, before = (_ended(records, days) for days in ((27, 0), (55, 28)))
    counts = (sum(not failed(row) for row in own) for own in (now, before))
    change = (next(counts) - next(counts)) / 28
    told = parts["deploy frequency"].partition(" \N{MIDDLE DOT} ")[0]
    assert told == (
        formats.shift(change, Unit.PER_DAY, 8.0) if abs(change) >= 0.05 else "No change"
    )
    shares = [sum(map(failed, own)) / len(own) for own in (now, before)]
    points = formats.points(shares[0] - shares[1])
    is_both = measure == "MTTR, typical" and len(records) > 1
    assert "change failure rate" in parts or not is_both
    if "change failure rate" in parts:
        assert measure != "change failure rate"
        assert parts["change failure rate"].startswith(f"{points} \N{MIDDLE DOT} ")
    if is_both:
        assert parts["change failure rate"].endswith("\N{MIDDLE DOT} worse")


def _ended(records: list[Raw], back: tuple[int, int]) -> list[dict[str, object]]:
    """Deployments of the days so many before the last."""
    first, last = (LAST - timedelta(days=days) for days in back)
    every = [row for one in records for row in one["deployment"]]
    return [row for row in every if first <= _day(row["completed_at"]) <= last]


def check_durations(drift: re.Match[str], own: list[dict[str, object]]) -> None:
    """Typical is the mean of logs; durations are kept to two in a hundred."""
    taken = [
        (_day(row["resolved_at"]), (row["resolved_at"] - row["opened_at"]).total_seconds())  # type: ignore[operator]
        for row in own
    ]
    recent = [math.log(seconds) for day, seconds in taken if since(drift) <= day <= LAST]
    weights = [faded(day) for day, _ in taken]
    logs = [weight * math.log(seconds) for weight, (_, seconds) in zip(weights, taken, strict=True)]
    usual, now = math.exp(sum(logs) / sum(weights)), math.exp(sum(recent) / len(recent))
    assert seconds_of(drift["usual"]) == pytest.approx(usual, rel=0.03)
    assert seconds_of(drift["now"]) == pytest.approx(now, rel=0.03)
    times = re.fullmatch(r"Each takes ([\d.]+) times as long", drift["impact"])
    assert times
    assert float(times[1]) == pytest.approx(now / usual, rel=0.03, abs=0.05)


def seconds_of(text: str) -> int:
    """ "1 h 20 min" in seconds."""
    units = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    return sum(
        int(number) * units[unit] for number, unit in re.findall(r"(\d+) (d|h|min|s)\b", text)
    )
