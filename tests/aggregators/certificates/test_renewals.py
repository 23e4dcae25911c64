"""Renewals take the place of the certificates that they renew."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.certificates.counts import BUCKETS
from aggregators.chosen.counting import CountingRules
from reading.record_days import RecordDays
from storage.context import job_in
from tests.deep import efforts
from tests.generated import known_certificates, zones
from tests.plain.clock import Clock
from tests.plain.records import Records, span_days
from tests.plain.snapshot import certificates
from tests.world import World, at

TODAY = date(2026, 11, 22)
STATES = ("revoked", "unreadable", "expired", "7", "30", "90", "later")


def counted(world: World, team: int, first: date, last: date, zone: str = "UTC"):
    """Certificates by state on each of the days."""
    with job_in(world.database.job, team) as connection:
        days = RecordDays(connection, team, first, last, CountingRules(zone))
        return days.facts([BUCKETS])


def certificate(number: int, begins: date, days: int = 90, **columns) -> dict:
    return {
        "fingerprint": f"f{number}",
        "host": "",
        "port": 0,
        "names": "inn.example",
        "key_usage": "EC; server",
        "not_before": at(begins),
        "not_after": at(begins) + timedelta(days=days),
        "first_seen": None,
        "last_seen": None,
        "revoked_at": None,
        "superseded_at": None,
        **columns,
    }


def on_one_day(world: World, rows: list[dict], day: date = TODAY, apart: bool = False) -> dict:
    """States that hold any certificate, with how many."""
    team = world.workspace("team")
    world.add(team, "certificate", rows)
    if apart:
        meaning = {"about": "certificates", "word": "renewals", "meaning": "apart"}
        world.add(team, "word_meaning", [meaning])
    facts = counted(world, team, day, day).iloc[0]
    return {state: int(facts[n]) for state in STATES if facts[n := _column(state)]}


def _column(state: str) -> str:
    return f"cert_{state}"


JUNE, AUGUST, OCTOBER = date(2026, 6, 20), date(2026, 8, 15), date(2026, 10, 12)
THREE = [certificate(1, JUNE), certificate(2, AUGUST), certificate(3, OCTOBER)]


RENEWALS = [
    pytest.param(THREE, False, {"90": 1}, id="three renewals are one certificate"),
    pytest.param(THREE, True, {"expired": 2, "90": 1}, id="unless the workspace says so"),
    pytest.param(
        [certificate(1, JUNE), certificate(2, OCTOBER)],
        False,
        {"expired": 1, "90": 1},
        id="one that begins when the old one is over renews nothing",
    ),
    pytest.param(
        [certificate(1, JUNE), certificate(2, AUGUST, key_usage="RSA; server")],
        False,
        {"expired": 2},
        id="the twin of another key is no renewal",
    ),
    pytest.param(
        [certificate(1, OCTOBER), certificate(2, OCTOBER)],
        False,
        {"90": 2},
        id="two of one instant are two",
    ),
    pytest.param(
        [certificate(1, AUGUST), certificate(2, OCTOBER, names="inn.example, www.inn.example")],
        False,
        {"expired": 1, "90": 1},
        id="another set of names is another certificate",
    ),
    pytest.param(
        [certificate(1, AUGUST), certificate(2, OCTOBER, revoked_at=at(OCTOBER, 20))],
        False,
        {"expired": 1, "revoked": 1},
        id="a renewal that was revoked renews nothing",
    ),
    pytest.param(
        [
            certificate(1, AUGUST, 120, host="a.example", last_seen=at(TODAY, 3)),
            certificate(2, OCTOBER),
        ],
        False,
        {"30": 1, "90": 1},
        id="what a host still serves is in service",
    ),
    pytest.param(
        [
            certificate(
                1, AUGUST, host="a.example", last_seen=at(TODAY), superseded_at=at(TODAY, 3)
            ),
            certificate(2, OCTOBER),
        ],
        False,
        {"90": 1},
        id="until it serves another",
    ),
    pytest.param(
        [
            certificate(1, AUGUST, names=None, subject="CN=Inn"),
            certificate(2, OCTOBER, names=None, subject="CN=Inn"),
        ],
        False,
        {"90": 1},
        id="without names the subject tells",
    ),
    pytest.param(
        [
            certificate(1, JUNE, names=None, subject=None),
            certificate(2, AUGUST, names=None, subject=None),
        ],
        False,
        {"expired": 2},
        id="of nothing nothing is a renewal",
    ),
]


@pytest.mark.parametrize(("rows", "apart", "states"), RENEWALS)
def test_what_renews_what(database, settings, rows, apart, states):
    rows = [{"subject": None, **row} for row in rows]
    assert on_one_day(World(database, settings), rows, apart=apart) == states


def test_a_renewal_counts_from_the_day_it_is_known(database, settings):
    world = World(database, settings)
    team = world.workspace("team")
    late = certificate(2, OCTOBER, first_seen=at(date(2026, 11, 20)), last_seen=None)
    world.add(team, "certificate", [certificate(1, AUGUST), late])
    facts = counted(world, team, date(2026, 11, 12), date(2026, 11, 22))
    expired = [int(n) for n in facts["cert_expired"]]
    assert expired == [0, *[1] * 7, 0, 0, 0]


@pytest.mark.parametrize("effort", efforts(few=10, many=40, deep=2000))
def test_states_of_random_certificates_are_those_of_the_slow_computation(server, settings, effort):
    @effort
    @given(rows=st.lists(known_certificates(), min_size=1, max_size=3), zone=zones)
    def holds(rows, zone):
        world = World(server, settings)
        team = world.workspace(f"t-{datetime.now().timestamp():.6f}".replace(".", "-"))
        several = [
            {**row, "port": 10 * n + m} for n, each in enumerate(rows) for m, row in enumerate(each)
        ]
        world.add(team, "certificate", several)
        first, last = TODAY - timedelta(days=70), TODAY
        facts = counted(world, team, first, last, zone)
        for day in span_days(first, last)[::9]:
            slow = certificates(Records(certificate=several), Clock(day, ZoneInfo(zone)))
            told = {name: int(facts.loc[day][name]) for name in slow if name.startswith("cert_")}
            assert told == {n: v for n, v in slow.items() if n.startswith("cert_")}, day

    holds()


@pytest.mark.parametrize(
    ("organisation", "own", "expected"),
    [
        ("apart", None, {"expired": 2, "90": 1}),
        ("apart", "together", {"90": 1}),
        ("together", "apart", {"expired": 2, "90": 1}),
        ("together", None, {"90": 1}),
    ],
)
def test_the_organisation_says_it_where_the_workspace_does_not(
    database, settings, organisation, own, expected
):
    world = World(database, settings)
    world.sql(
        "insert into organisation_meaning (about, word, meaning)"
        f" values ('certificates', 'renewals', '{organisation}')"
    )
    team = world.workspace("team")
    world.add(team, "certificate", THREE)
    if own:
        meaning = {"about": "certificates", "word": "renewals", "meaning": own}
        world.add(team, "word_meaning", [meaning])
    facts = counted(world, team, TODAY, TODAY).iloc[0]
    assert {state: int(facts[n]) for state in STATES if facts[n := _column(state)]} == expected
