"""The page's scripts and the server judge a range alike, whatever day it is where the browser is."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aggregators.vocabulary import formats
from aggregators.vocabulary.period import EARLIEST, MAX_DAYS, PRESETS, Span
from layouts import ids
from layouts.rules import PageRules
from settings import Settings
from tests.deep import every
from tests.webworld import API, EXECUTIVE, make
from web.document import base, module_paths

EVENING = datetime(2026, 11, 28, 22, 30, tzinfo=UTC)
"""Half past ten in UTC: the 28th there and in New York, the 29th in Auckland."""
FOLDER = Path(__file__).parent


class AtEvening(Settings):
    """An installation whose clock stands still within a day, rather than at noon."""

    def now(self) -> datetime:
        """The evening, where the figures are reported."""
        return EVENING.astimezone(self.zone)


def rules_in(layout: object) -> dict[str, str]:
    """The properties of the element that hands the rules over, anywhere in Dash's layout."""
    if isinstance(layout, dict):
        if layout.get("id") == ids.RULES:
            return layout
        layout = list(layout.values())
    if isinstance(layout, list):
        return next(filter(None, map(rules_in, layout)), {})
    return {}


def as_dataset(properties: dict[str, str]) -> dict[str, str]:
    """The ``data-*`` properties by the names under which a browser has them."""
    return {
        re.sub("-(.)", lambda m: m[1].upper(), name.removeprefix("data-")): value
        for name, value in properties.items()
        if name.startswith("data-")
    }


def judged_by_page(
    dataset: dict[str, str], ranges: list[tuple[str, str]]
) -> list[tuple[bool, str]]:
    """Whether the page takes each range, and how it writes it."""
    question = {"data": dataset, "now": EVENING.isoformat(), "ranges": ranges}
    ran = subprocess.run(
        ["node", FOLDER / "today.js"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(taken, told) for taken, told in json.loads(ran.stdout)]


@pytest.mark.parametrize(
    ("zone", "today"),
    every(
        3,
        [
            ("Pacific/Auckland", date(2026, 11, 29)),
            ("UTC", date(2026, 11, 28)),
            ("America/New_York", date(2026, 11, 28)),
        ],
        several=True,
    ),
)
def test_page_and_server_agree_on_what_lies_in_the_future(database, settings, zone, today):
    at_evening = AtEvening.model_construct(**dict(settings) | {"time_zone": zone, "today": None})
    client = make(database, at_evening).sign_in("alice")
    dataset = as_dataset(rules_in(json.loads(client.get("/_dash-layout").text)))
    assert dataset["today"] == today.isoformat()
    day = timedelta(days=1)
    ranges = [
        (start.isoformat(), end.isoformat())
        for end in (today - day, today, today + day)
        for start in (end, end - day, end - (MAX_DAYS - 1) * day, end - MAX_DAYS * day, end + day)
    ]
    ranges += [
        (start, end.isoformat())
        for end in (EARLIEST - day, EARLIEST, EARLIEST + day)
        for start in {EARLIEST.isoformat(), (EARLIEST - day).isoformat()}
    ]
    statuses = [
        client.get(API, query_string={"start": start, "end": end}).status_code
        for start, end in ranges
    ]
    assert set(statuses) == {200, 422}
    taken = [taken for taken, _ in judged_by_page(dataset, ranges)]
    assert taken == [status == 200 for status in statuses]


def test_page_and_server_write_the_days_of_a_period_alike(database, settings):
    client = make(database, settings).sign_in("alice")
    dataset = as_dataset(rules_in(json.loads(client.get("/_dash-layout").text)))
    first = date(2027, 6, 1)
    days = [first + timedelta(days=number) for number in range(MAX_DAYS)]
    spans = [Span(start, end) for day in days for start, end in ((day, day), (first, day))]
    ranges = [(span.start.isoformat(), span.end.isoformat()) for span in spans]
    told = [told for _, told in judged_by_page(dataset, ranges)]
    assert told == [formats.span(span) for span in spans]


def test_the_layout_is_made_anew_when_the_day_ends(database, settings):
    clock = [EVENING]

    class Running(Settings):
        def now(self) -> datetime:
            return clock[0].astimezone(self.zone)

    running = Running.model_construct(**dict(settings) | {"time_zone": "UTC", "today": None})
    client = make(database, running).sign_in("alice")
    days = []
    for hours in (0, 1, 2):
        clock[0] = EVENING + timedelta(hours=hours)
        days.append(rules_in(json.loads(client.get("/_dash-layout").text))["data-today"])
    assert days == ["2026-11-28", "2026-11-28", "2026-11-29"]


def test_a_day_ends_at_midnight_and_a_frozen_one_never():
    auckland = Settings(time_zone="Pacific/Auckland").zone
    summer_begins = datetime(2026, 9, 27, 1, 0, tzinfo=auckland)  # a day of 23 hours
    rules = PageRules.at(summer_begins, is_frozen=False)
    assert rules.day_ends is not None
    assert rules.day_ends.astimezone(UTC) == datetime(2026, 9, 27, 11, tzinfo=UTC)
    assert PageRules.at(summer_begins, is_frozen=True).day_ends is None


def test_the_rules_are_those_of_the_server(database, settings):
    client = make(database, settings).sign_in("alice")
    dataset = as_dataset(rules_in(json.loads(client.get("/_dash-layout").text)))
    assert dataset["presets"].split() == [str(days) for days in PRESETS]
    assert int(dataset["maxDays"]) == MAX_DAYS
    assert "dayEnds" not in dataset  # the clock of these tests is frozen


def test_the_document_names_every_module_and_fetches_none_before_its_first_frame(
    database, settings
):
    """All are fetched at once then, so that no browser learns of one from another's imports."""
    client = make(database, settings).sign_in("alice")
    document = client.get(EXECUTIVE).text
    later = json.loads(re.search(r'<script id="later"[^>]*>(.*?)</script>', document)[1])
    assert later["modules"] == module_paths(Path("assets"))
    for path in later["modules"]:
        answer = client.get(path)
        assert answer.mimetype == "text/javascript"
        assert answer.cache_control.immutable
    shell, begin, entry = (
        f"{base(Path('assets'))}page/{name}" for name in ("shell.js", "begin.js", "main.js")
    )
    assert later["entries"] == [shell, entry]
    assert re.findall(r'<script[^>]*src="([^"?]+)', document) == [begin]
    for script in later["scripts"]:
        assert document.count(script) == 1
        assert client.get(script).mimetype == "text/javascript"


def test_a_page_of_an_older_version_gets_the_modules_of_today_and_keeps_none(database, settings):
    browser = make(database, settings).browser()
    answer = browser.get("/assets/v-000000000000/page/main.js")
    assert answer.status_code == 200
    assert not answer.cache_control.immutable
    assert answer.cache_control.max_age == 0


def test_what_comes_before_the_first_frame_is_asked_for_once_alone(database, settings):
    """Seen: each page asked for the type face and the style sheet again before it showed anything."""
    client = make(database, settings).sign_in("alice")
    for path in (EXECUTIVE, "/help"):
        document = client.get(path).text
        fetched = re.findall(r'<(?:link|script)[^>]* (?:href|src)="(/[^"]+)"', document)
        fetched += re.findall(r'url\("(/[^"]+)"\)', document)
        assert len(fetched) > 3
        for asset in fetched:
            assert client.get(asset).cache_control.immutable, asset
