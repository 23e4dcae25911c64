"""The pack says what the API says: every row of the appendix, read back by pdftotext."""

from __future__ import annotations

import math
import subprocess
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

import demo
from aggregators import words
from aggregators.catalogue import DOMAINS
from aggregators.name_order import by_name
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from aggregators.signal.change import Verdict
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Measure, Unit
from aggregators.vocabulary.period import PRESETS, Period, Span, custom, rolling
from app import create_app
from exports.board_pdf import draw
from exports.pack import appendix
from exports.pack.notes import label
from reading.encode import dashboard_json
from tests import samples
from tests.conftest import TODAY, empty
from tests.deep import all_but, every, long
from tests.webworld import API, WebWorld, csrf, settled
from tests.world import World

AT = datetime(2026, 11, 23, 9, 31, 2, tzinfo=UTC)
CUSTOM = (date(2026, 8, 30), date(2026, 11, 10))
FIRST_SHEET = 2 + len(DOMAINS)
FURNITURE = (
    "Appendix: raw numbers ",
    "raw numbers ",  # pdftotext joins what stands on either side of the fold
    "–  no data",
    "– no data: not tracked",
    "Workspace value",
    "Workspace Framework value",
)
Json = dict[str, Any]


def read_back(file: bytes, first: int = 1, last: int = 0) -> list[str]:
    """The lines of some pages in the order in which they are drawn, the watermark left out."""
    pages = ["-f", str(first), *(["-l", str(last)] if last else [])]
    found = subprocess.run(
        ["pdftotext", "-raw", "-nodiag", *pages, "-", "-"],
        input=file,
        capture_output=True,
        check=True,
    )
    return found.stdout.decode().replace("\f", "").splitlines()


def as_figure(measure: Measure, told: Json) -> Figure:
    """A figure from the API's answer."""
    evidence = told["evidence"]
    return samples.figure(
        measure,
        math.inf if told["over_budget"] else told["value"],
        told["previous"],
        comparable=told["delta"] is not None,
        **{key: evidence[key] for key in ("numerator", "denominator", "n", "days_seen")},
        group=told.get("group"),
    )


def numbers(figure: Figure) -> str:
    """Value, numerator and denominator, n and days, as they shall stand in a row."""
    e = figure.evidence
    said = [words.figure(figure) + "*" * figure.low_sample]
    if e.numerator is None:
        said.append("–")
    elif e.denominator is None:
        said.append(formats.number(e.numerator))
    else:
        seconds = " s" * (figure.measure.unit is Unit.SECONDS)
        said.append(f"{formats.number(e.numerator)}{seconds} / {formats.number(e.denominator)}")
    said += ["–" if e.n is None else formats.number(e.n), formats.number(e.days_seen)]
    return " ".join(said)


def rows_of(domain: Domain, name: str, told: Json) -> list[str]:
    """The rows of a workspace, or of the organisation, in a domain."""
    measures = appendix.columns(domain)
    groups = sorted({group for m in measures for group in told[m.key].get("by", ())})
    if not domain.by:
        return [" ".join([name, *(numbers(as_figure(m, told[m.key])) for m in measures)])]
    found = []
    for group in groups:
        each = [told[m.key].get("by", {}).get(group) for m in measures]
        said = [
            numbers(as_figure(m, one) if one else samples.figure(m))
            for m, one in zip(measures, each, strict=True)
        ]
        found.append(" ".join([name, group, *said]))
    return found or [" ".join([name, "–", *(numbers(as_figure(m, told[m.key])) for m in measures)])]


def expected(answer: Json) -> list[str]:
    """Every row of the appendix, from the API's answer."""
    found: list[str] = []
    for domain, told in zip(DOMAINS, answer["domains"], strict=True):
        figures = [as_figure(domain.measure(key), one) for key, one in told["measures"].items()]
        if not any(figure.has_data for figure in figures):
            found.append(domain.empty)
            continue
        found += rows_of(domain, "Organisation", told["measures"])
        for card in by_name(told["workspaces"], lambda c: c["name"]):
            found += rows_of(domain, card["name"], card["measures"])
    return found


def rows_in(file: bytes) -> list[str]:
    """Every row of the appendix, from the file: its lines less what stands around them."""
    titles = {d.title + more for d in DOMAINS for more in ("", ", continued")}
    titles |= {" ".join(m.title for m in appendix.columns(d)) for d in DOMAINS}
    lines = read_back(file, FIRST_SHEET)
    return [
        line
        for line in lines
        if line not in titles and not line.startswith(FURNITURE) and " · exported 2" not in line
    ]


def answered(dashboard: Dashboard) -> Json:
    """As a program gets it."""
    return orjson.loads(orjson.dumps(dashboard_json(dashboard)))


def drawn(dashboard: Dashboard) -> bytes:
    return draw(dashboard, requested_by="anna@x.example", exported_at=AT, export_id="exp-7F3A21")


@pytest.mark.parametrize("days", every(4, [*PRESETS, "custom"]))
@pytest.mark.parametrize("workspaces", all_but([1, 12], [1, 12, 200]))
def test_the_appendix_says_what_the_api_says(workspaces, days):
    period = custom(*CUSTOM, TODAY) if days == "custom" else rolling(days, samples.AS_OF)
    dashboard = samples.only(samples.dashboard(max(workspaces, 12), period=period), workspaces)
    assert rows_in(drawn(dashboard)) == expected(answered(dashboard))


@long("tests/exports/test_same_figures.py::test_the_appendix_says_what_the_api_says")
def test_a_thousand_workspaces_are_told_alike():
    dashboard = samples.dashboard(1_000, series=False)  # no row has any of it
    rows = rows_in(drawn(dashboard))
    assert len(rows) > 6_000
    assert rows == expected(dashboard_json(dashboard))


@pytest.fixture(scope="module")
def alice(server, settings, tmp_path_factory):
    """Her browser, over a demo organisation."""
    empty(server)
    demo.load(server, settings, 5)
    own = settings.model_copy(
        update={"data_dir": tmp_path_factory.mktemp("exports"), "export_sync_seconds": 60}
    )
    web = WebWorld(create_app(own, server), World(server, own))
    client = web.browser()
    web.attempt(client, "alice@demo.example", settings.demo_password)
    return client


ASKED = [
    *({"period": str(days)} for days in PRESETS),
    {"start": CUSTOM[0].isoformat(), "end": CUSTOM[1].isoformat()},
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.get("period", "custom"))
def test_what_is_exported_says_what_the_api_answers(alice, asked):
    made = alice.post("/exports", json=asked, headers=csrf(alice))
    assert made.status_code in (201, 202), made.text
    file = alice.get(settled(alice, made).json["href"]).data
    answer = alice.get(API, query_string=asked).json
    assert rows_in(file) == expected(answer)
    cover = " ".join(read_back(file, 1, 1))
    for said in on_the_cover(answer):
        assert said in cover


def on_the_cover(answer: Json) -> list[str]:
    """Periods, scope, each headline with its change, each answer's sentence."""
    period, scope = answer["period"], answer["scope"]
    now, before = (
        Period(Span(*(date.fromisoformat(of[end]) for end in ("start", "end"))))
        for of in (period, period["previous"])
    )
    assert before.end == now.start - timedelta(days=1)
    found = [formats.span(now.span), formats.span(before.span), formats.number(scope["workspaces"])]
    for domain, told in zip(DOMAINS, answer["domains"], strict=True):
        head = as_figure(domain.measure(told["headline"]), told["measures"][told["headline"]])
        verdict = Verdict(told["measures"][told["headline"]]["change"]["verdict"])
        word = head.change if verdict is Verdict.CERTAIN else words.VERDICTS[verdict]
        change = (
            f"{words.delta(head)} · {word}" if words.has_visible_change(head) else words.delta(head)
        )
        found += [words.figure(head), label(head), change]
    return found + [one["sentence"] for one in answer["answers"] if one["found"]]
