"""Sentences of signals beside the drift itself: that it goes on, that it has ended, by which services, how
soon a doubling would show, how many alarms are false; on the page, the tile and in the mail. Each from the
raw records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from html import unescape

import numpy as np
import pytest

from aggregators import words as figure_words
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import Ask
from exports.digest import shapes
from exports.digest.message import DigestMessage, message
from exports.digest.news import signals_of
from layouts.executive.tile import tile
from reading import dashboard
from reading.signals import beside, night, open_signals, words
from reading.signals.promise import promise
from storage.viewer import Viewer
from tests.conftest import TODAY
from tests.deep import long
from tests.sentences.drifts.slow_watch import (
    DRIFTING,
    WATCH,
    SlowSeries,
    watched,
)
from tests.stored_rows import built_once
from tests.world import World, at

LAST = TODAY - timedelta(days=1)
DAYS = [LAST - timedelta(days=n) for n in reversed(range(170))]
BEGAN, OVER = LAST - timedelta(days=88), LAST - timedelta(days=58)
"""First and last day on which the deployments of search failed."""
DRIFT = LAST - timedelta(days=22)
SLUGS = ("calm", "payments", "search", "still")
SERVICES = ("checkout", "cart", None, "checkout")
TOLD = re.compile(
    r"Search: change failure rate drifted from (?P<from>\d+ \w+ \d{4}) to (?P<to>\d+ \w+ \d{4})\."
)
SERVICE = re.compile(
    r"(?P<name>[\w ]+?) (?P<part>[+\N{MINUS SIGN}][\d.]+ pts)"
    r" \((?P<x>\d+) of (?P<n>\d+), before (?P<y>\d+) of (?P<m>\d+)\)"
)
Row = dict[str, object]


def fails(slug: str, day: date, service: str | None, numbers: np.random.Generator) -> bool:
    rate = 0.1
    if slug == "payments" and day >= DRIFT:
        rate = 0.7 if service == "checkout" else 0.12
    if slug == "search" and BEGAN <= day <= OVER:
        rate = 0.5
    return bool(numbers.random() < rate)


@pytest.fixture(scope="module")
def raw() -> Mapping[str, list[Row]]:
    numbers = np.random.default_rng(21)
    return {
        slug: [
            {
                "key": f"{day}-{n}",
                "completed_at": at(day, n + 1),
                "service": SERVICES[n % 4],
                "outcome": "failed" if fails(slug, day, SERVICES[n % 4], numbers) else "successful",
                "environment": "production",
            }
            for day in DAYS
            for n in range(8)
        ]
        for slug in SLUGS
    }


@pytest.fixture
def world(database, settings, raw) -> World:
    """Each night is watched from the one on which search began to fail."""
    return built_once(
        database, __name__, lambda: watched_night_by_night(World(database, settings), raw)
    )


def watched_night_by_night(made: World, raw) -> World:
    made.alice = made.person("alice@x.example")
    for slug in SLUGS:
        id = made.workspace(slug)
        made.member(made.alice, id, "platform_admin")
        made.add(id, "deployment", raw[slug])
    made.backfill(DAYS[0], LAST)
    for day in DAYS:
        if day >= BEGAN:
            night.run(made.database, day)
    return made


def counted(rows: list[Row]) -> dict[date, tuple[int, int]]:
    ended = Counter(day_of(row) for row in rows)
    failed = Counter(day_of(row) for row in rows if row["outcome"] == "failed")
    return {day: (failed[day], ended[day]) for day in ended}


def day_of(row: Row) -> date:
    done = row["completed_at"]
    assert isinstance(done, datetime)
    return done.date()


def parsed(text: str) -> date:
    return datetime.strptime(text, "%d %b %Y").date()


def slow(raw: Mapping[str, list[Row]]) -> dict[str, SlowSeries]:
    every = watched([counted(raw[slug]) for slug in SLUGS], DAYS)
    return dict(zip(SLUGS, every, strict=True))


def digest(world: World, viewer: Viewer, settings, after: date | None) -> DigestMessage:
    news = signals_of(world.database, viewer, LAST, settings).since(after)
    return message(news, "Northwind Group", "https://vigilo.example")


@long(
    "tests/sentences/drifts/test_drifts.py::test_each_drift_says_what_the_records_of_those_days_say"
)
def test_what_is_told_of_signals_is_what_the_records_say(world, settings, raw):
    """A single world for all of it, of which each night is watched."""
    every = slow(raw)
    signals = open_signals.read(world.database, world.alice, LAST)
    (ongoing,) = [s for s in signals if s.ended_on is None]
    check_open(ongoing, every["payments"])
    told = digest(world, world.alice, settings, OVER)
    lines = {section.title: [line.text for line in section.lines] for section in told.sections}
    assert set(lines) <= {"New", "Ended", "Still open", "Nothing new"}
    check_ended(lines["Ended"], every["search"])
    later = digest(world, world.alice, settings, None)
    still = next(s for s in later.sections if s.title == "Still open")
    check_still(still, every, raw)
    check_mail(told)
    check_services(world, settings, ongoing, raw["payments"])
    shown = dashboard.read(world.database, world.alice, Ask(28), settings)
    check_soon(shown, every)
    check_tile(shown, raw)


def check_open(signal, own: SlowSeries) -> None:
    """An open signal is as sure as its evidence, told since the first night beyond the threshold."""
    assert signal.workspace.slug == "payments"
    assert signal.evidence == pytest.approx(own.totals[-1], abs=1e-6)
    first = next(n for n, total in enumerate(own.totals) if total >= WATCH)
    assert signal.opened_on == DAYS[first]
    assert signal.since == DAYS[own.since]
    assert (signal.grade == "drifting") == (max(own.totals) >= DRIFTING)
    assert words.cells(signal) == (4 if own.totals[-1] >= DRIFTING + 3 else 3)


def check_ended(lines: list[str], own: SlowSeries) -> None:
    """From the night on which the evidence began to climb to the one on which it had fallen far from its
    height: not before the failures were over, and within weeks of that."""
    (line,) = [line for line in lines if line.startswith("Search")]
    matched = TOLD.fullmatch(line)
    assert matched, line
    begun, ended = parsed(matched["from"]), parsed(matched["to"])
    assert abs((begun - BEGAN).days) <= 7
    assert ended == DAYS[own.over]
    assert OVER < ended <= OVER + timedelta(days=42)


def check_still(section, every: Mapping[str, SlowSeries], raw) -> None:
    """The strongest evidence beyond its threshold stands first; the others are counted."""
    together = watched([sums(raw)], DAYS, alone=True)[0]
    evidence = {
        "Payments": every["payments"].totals[-1],
        "All your workspaces together": together.totals[-1],
    }
    open_now = {name: value for name, value in evidence.items() if value >= WATCH}
    first, *rest = [line.text for line in section.lines]
    assert first.startswith(max(open_now, key=lambda name: open_now[name]) + ": ")
    others = len(open_now) - 1
    assert rest == ([f"{others} other{'s' * (others > 1)} with less evidence."] if others else [])


def sums(raw: Mapping[str, list[Row]]) -> dict[date, tuple[int, int]]:
    each = [counted(rows) for rows in raw.values()]
    return {
        day: (sum(own[day][0] for own in each), sum(own[day][1] for own in each)) for day in DAYS
    }


def check_mail(told: DigestMessage) -> None:
    """Text and HTML hold every line, in this order, and no other number."""
    stop = "https://vigilo.example/digest/stop/x"
    lines = [line.text for section in told.sections for line in section.lines]
    plain, rich = shapes.plain_mail(told, stop), shapes.rich_mail(told, stop)
    assert [part[2:] for part in plain.splitlines() if part.startswith("- ")] == lines
    assert [
        unescape(re.sub(r"<[^>]+>", "", item)) for item in re.findall(r"<li .*?</li>", rich)
    ] == lines
    bare = unescape(re.sub(r"<[^>]+>", "", rich))
    for text in (*lines, told.foot):
        assert text in bare
        bare = bare.replace(text, "", 1)
    assert not re.search(r"\d", bare), bare


def check_services(world: World, settings, signal, rows: list[Row]) -> None:
    """Failed of all of each service since the drift began and in as many days before, 28 at the least; a
    part is the service's in the change of the rate, by the mean of both ways to share it out."""
    parts = beside.services_of(world.database, world.alice, signal, settings)
    sentence = words.services(signal, parts)
    told = [m.groupdict() for m in SERVICE.finditer(sentence.removeprefix("By service: "))]
    assert told, sentence
    span = max((LAST - signal.since).days + 1, 28)
    sides = [
        (signal.since, LAST),
        (signal.since - timedelta(days=span), signal.since - timedelta(days=1)),
    ]
    whole = [of(rows, side, None, every=True) for side in sides]
    worse = {}
    for name in ("checkout", "cart", None):
        (x, n), (y, m) = (of(rows, side, name) for side in sides)
        pooled = (whole[0][0] / whole[0][1] + whole[1][0] / whole[1][1]) / 2
        now, before = n / whole[0][1], m / whole[1][1]
        part = (now + before) / 2 * (x / n - y / m)
        part += (now - before) * ((x / n + y / m) / 2 - pooled)
        if part > 0:
            worse[name or "no service named"] = (part, x, n, y, m)
    ordered = sorted(worse, key=lambda name: -worse[name][0])
    assert [one["name"] for one in told] == ordered
    for one in told:
        part, *counts = worse[one["name"]]
        assert [int(one[k]) for k in "xnym"] == counts
        assert one["part"] == formats.points(part)


def of(
    rows: list[Row], side: tuple[date, date], service: str | None, *, every=False
) -> tuple[int, int]:
    own = [
        r for r in rows if side[0] <= day_of(r) <= side[1] and (every or r["service"] == service)
    ]
    return sum(r["outcome"] == "failed" for r in own), len(own)


def check_soon(shown, every: Mapping[str, SlowSeries]) -> None:
    """Days to tell a doubling: the evidence that a day of it brings, until there is enough."""
    for card in shown.scorecard("dora").cards:
        days = every[card.slug].days_to_tell(len(DAYS))
        told = figure_words.slow_to_tell(card.figures["change_failure_rate"])
        assert told == f"a doubling would show after about {formats.number(round(days, -1))} days"


def check_tile(shown, raw) -> None:
    """The tile says since when the sum of all drifts, or nothing."""
    together = watched([sums(raw)], DAYS, alone=True)[0]
    (line,) = re.findall(
        r'class="tile-drift">(.*?)</p>', str(tile(shown.scorecard("dora"), shown, None))
    ) or [""]
    text = unescape(re.sub(r"<[^>]+>", "", line))
    drifts = together.totals[-1] >= DRIFTING
    assert text == (f"Drifting since {formats.day(DAYS[together.since])}" if drifts else "")


@pytest.mark.parametrize("workspaces", [1, 2, 12, 366, 1000])
def test_false_alarms_a_quarter_are_those_that_are_permitted(database, workspaces):
    """Permitted are one, and a fifth of one, in a thousand quarters of a workspace and measure."""
    told = promise(database, workspaces)
    matched = re.fullmatch(
        r"About (?P<may>[\d.,]+) false alarms? a quarter at “may be drifting” and (?P<drifts>[\d.,]+|almost"
        r" none) at “drifting” over (?P<count>[\d,]+) workspaces?, tested on simulated organisations until"
        r" there are 180 days of your own history\.",
        told,
    )
    assert matched, told
    for name, allowed in (("may", 1.0), ("drifts", 0.2)):
        expected = allowed * workspaces * 8 / 1000
        if matched[name] == "almost none":
            assert expected < 0.005
            continue
        _, _, digits = matched[name].partition(".")
        half = 0.5 * 10 ** -len(digits)
        assert float(matched[name].replace(",", "")) == pytest.approx(expected, abs=half + 1e-9)
        assert float(matched[name].replace(",", "")) > 0
    assert int(matched["count"].replace(",", "")) == workspaces
