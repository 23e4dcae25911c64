"""The demo's raw records tell their stories on any day: slow, obvious counts, no snapshot code."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from aggregators.compliance.demo import CONTROLS
from aggregators.incidents.demo import OUTAGE
from aggregators.records.demo import Window, outage_day
from aggregators.vocabulary.fields import SLUG
from demo.generate import GENERATORS, records
from demo.stories import HOME, MOST, STORIES, teams
from tests.deep import all_but, long

TELLINGS = [
    (date(2026, 11, 22), 1, "UTC", 12),
    (date(2026, 11, 22), 2, "UTC", 60),
    (date(2026, 11, 23), 1, "Pacific/Auckland", 12),
    (date(2027, 1, 2), 1, "America/Los_Angeles", 12),
    (date(2027, 1, 3), 3, "UTC", 40),
    (date(2028, 2, 29), 1, "Europe/Berlin", 12),
    (date(2027, 3, 28), 7, "Europe/Berlin", 12),
    (date(2027, 8, 31), 1, "UTC", 12),
    (date(2029, 5, 14), 11, "Asia/Kolkata", 40),
]
ENDED = ("successful", "successful_with_issues", "failed", "rolled_back")


class ToldStory:
    """An organisation's records, and figures counted from them one by one."""

    def __init__(self, last: date, seed: int, zone: str, count: int) -> None:
        self.window = Window(last - timedelta(days=399), last, ZoneInfo(zone))
        self.last, self.zone = last, ZoneInfo(zone)
        self.teams = [t for t in teams(count, seed) if t.is_active]
        self.of = {t.slug: records(t, self.window, seed) for t in self.teams}

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def deployments(self, slug: str, days: int, skip: int = 0) -> tuple[int, int]:
        """Failed and ended ones of that many days, ``skip`` days back."""
        end = self.last - timedelta(days=skip)
        named = {i["caused_by"] for i in self.of[slug]["incident"]}
        ended = [
            d
            for d in self.of[slug]["deployment"]
            if d["outcome"] in ENDED
            and end - timedelta(days=days) < self.day(d["completed_at"]) <= end
        ]
        failed = [
            d for d in ended if d["outcome"] in ("failed", "rolled_back") or d["key"] in named
        ]
        return len(failed), len(ended)

    def mttr_by_sprint(self, slug: str) -> list[tuple[int, float]]:
        """(resolved, mean seconds) of the last four whole fortnights since Monday 5 January 1970."""
        found = []
        whole = ((self.last - date(1970, 1, 5)).days + 1) // 14
        for n in range(whole - 4, whole):
            start = date(1970, 1, 5) + timedelta(days=14 * n)
            times = [
                (i["resolved_at"] - i["opened_at"]).total_seconds()
                for i in self.of[slug]["incident"]
                if i["resolved_at"]
                and start <= self.day(i["resolved_at"]) < start + timedelta(days=14)
            ]
            found.append((len(times), sum(times) / len(times) if times else 0.0))
        return found

    def expiring(self, slug: str, days: int) -> int:
        """In service at the end of the last day and ending within so many days of it."""
        end = self.window.end
        return sum(
            1
            for c in self.of[slug]["certificate"]
            if (c["superseded_at"] is None or c["superseded_at"] > end)
            and (c["revoked_at"] is None or c["revoked_at"] > end)
            and end < c["not_after"] <= end + timedelta(days=days)
        )

    def standing(self, slug: str, framework: str, ago: int = 0) -> list[dict]:
        """Each control's last result by the end of that day."""
        end = self.window.at(self.last - timedelta(days=ago - 1), 0)
        newest: dict[str, dict] = {}
        for row in sorted(self.of[slug]["control_result"], key=lambda r: r["assessed_at"]):
            if row["framework"] == framework and row["assessed_at"] < end:
                newest[row["control"]] = row
        return list(newest.values())

    def pass_rate(self, slug: str, framework: str, ago: int = 0) -> float:
        rows = [r for r in self.standing(slug, framework, ago) if r["result"] != "not_applicable"]
        return sum(r["result"] == "compliant" for r in rows) / len(rows)

    def frameworks(self) -> list[tuple[str, str]]:
        return [(t.slug, framework) for t in self.teams for framework in t.habits["passing"]]

    def days_left(self, slug: str, framework: str) -> dict[str, int]:
        """Days until the evidence of each passing control ends; not above 0 where it has."""
        return {
            r["control"]: (self.day(r["valid_until"]) - self.last).days
            for r in self.standing(slug, framework)
            if r["result"] == "compliant"
        }

    def budget_left(self, slug: str, key: str) -> float | None:
        """Remaining error budget over the objective's own window; None without traffic."""
        objective = next(o for o in self.of[slug]["objective"] if o["key"] == key)
        since = self.last - timedelta(days=objective["window_days"])
        days = [d for d in self.of[slug]["objective_day"] if d["key"] == key and since < d["day"]]
        total, good = sum(d["total"] for d in days), sum(d["good"] for d in days)
        allowed = (1 - objective["target_percent"] / 100) * total
        return 1 - (total - good) / allowed if total else None

    def out_of_review(self, slug: str) -> int:
        critical = [
            v for v in self.of[slug]["vendor"] if v["tier"] == 1 and v["status"] == "active"
        ]
        return sum(self.due(slug, v["key"]) < self.last for v in critical)

    def due(self, slug: str, vendor: str) -> date:
        reviews = [r for r in self.of[slug]["vendor_review"] if r["vendor"] == vendor]
        newest = max(reviews, key=lambda r: r["completed_on"], default=None)
        return newest["next_due_on"] if newest else date.min


tell = cache(ToldStory)


@pytest.fixture(
    params=all_but(TELLINGS[:4], TELLINGS), ids=lambda t: f"{t[0]}-seed{t[1]}-{t[2]}-{t[3]}"
)
def told(request) -> ToldStory:
    return tell(*request.param)


@pytest.mark.parametrize("days", [28, 90])
def test_payments_has_clearly_the_worst_failure_rate_of_those_with_enough(told, days):
    rates = {}
    for team in told.teams:
        failed, ended = told.deployments(team.slug, days)
        if ended >= 10:
            rates[team.slug] = failed / ended
    payments = rates.pop("payments")
    assert payments > max(rates.values()) + 0.02


def test_payments_drifts_upward(told):
    thirds = [told.deployments("payments", 30, skip) for skip in (60, 30, 0)]
    first, second, third = (failed / ended for failed, ended in thirds)
    assert first < second < third
    failed, ended = told.deployments("payments", 90, 90)
    assert failed / ended < first


def test_hr_platform_would_rank_worst_if_it_deployed_enough(told):
    failed, ended = told.deployments("hr-platform", 28)
    payments = told.deployments("payments", 28)
    assert failed / ended > payments[0] / payments[1]
    assert ended <= told.deployments("hr-platform", 90)[1] < 10


def test_only_search_climbs_three_sprints(told):
    climbing = []
    for team in told.teams:
        sprints = told.mttr_by_sprint(team.slug)
        means = [mean for _, mean in sprints]
        enough = all(n >= 3 for n, _ in sprints)
        if enough and all(b >= a * 1.05 for a, b in pairwise(means)):
            climbing.append(team.slug)
    assert climbing == ["search"]


def test_iot_gateway_holds_most_of_the_expiring_certificates(told):
    held = {t.slug: told.expiring(t.slug, 30) for t in told.teams}
    assert held["iot-gateway"] > 0.8 * sum(held.values()) >= 4
    assert 0 < told.expiring("iot-gateway", 7) < held["iot-gateway"]


def test_only_data_platforms_soc2_dropped_by_more_than_five_points(told):
    for days in (7, 28, 90):
        dropped = {
            (slug, framework)
            for slug, framework in told.frameworks()
            if told.pass_rate(slug, framework, days) - told.pass_rate(slug, framework) > 0.05
        }
        assert dropped <= {("data-platform", "SOC2")}
        assert days == 7 or dropped


def test_identity_is_closest_to_a_lapse_and_edge_network_alone_is_out(told):
    left = {place: told.days_left(*place) for place in told.frameworks()}
    out = {(slug, c) for (slug, _), by in left.items() for c, days in by.items() if days <= 0}
    assert {slug for slug, _ in out} == {"edge-network"}
    assert len(out) == 2
    running = {place: min(d for d in by.values() if d > 0) for place, by in left.items()}
    assert running.pop(("identity", "SOC2")) == 4
    assert min(running.values()) > 10


def test_one_budget_is_spent_and_one_objective_silent(told):
    left = {
        (t.slug, o["key"]): told.budget_left(t.slug, o["key"])
        for t in told.teams
        for o in told.of[t.slug]["objective"]
    }
    assert [slug for (slug, _), b in left.items() if b is None] == ["mobile-apps"]
    assert [slug for (slug, _), b in left.items() if b is not None and b < 0] == ["edge-network"]


def test_vendors_out_of_review(told):
    found = {t.slug: told.out_of_review(t.slug) for t in told.teams}
    assert {slug: n for slug, n in found.items() if n} == {"lodz-logistics": 3, "hr-platform": 1}
    known = {r["vendor"] for r in told.of["lodz-logistics"]["vendor_review"]}
    never = [v for v in told.of["lodz-logistics"]["vendor"] if v["key"] not in known]
    assert [v["tier"] for v in never] == [1]


def test_one_incident_goes_on_for_months(told):
    old = [
        (t.slug, i["resolved_at"])
        for t in told.teams
        for i in told.of[t.slug]["incident"]
        if (i["resolved_at"] or told.window.end) - i["opened_at"] > timedelta(days=60)
    ]
    assert old == [("edge-network", None)]


def test_an_outage_hit_several_teams_at_once(told):
    struck = [i for t in told.teams for i in told.of[t.slug]["incident"] if i["title"] == OUTAGE]
    assert len(struck) == 4
    assert {told.day(i["opened_at"]) for i in struck} == {outage_day(told.window)}
    assert outage_day(told.window).weekday() == 1


def test_checkout_us_is_elsewhere_and_does_not_write_postmortems(told):
    assert [t.slug for t in told.teams[:11] if t.region != HOME] == ["checkout-us"]

    def coverage(slug: str) -> float:
        due = [
            i
            for i in told.of[slug]["incident"]
            if i["severity"] in ("p1", "p2")
            and i["postmortem_required"] is None
            and i["resolved_at"]
            and i["resolved_at"] < told.window.end - timedelta(days=7)
        ]
        return sum(i["postmortem_published_at"] is not None for i in due) / len(due)

    covered = {t.slug: coverage(t.slug) for t in told.teams[:11]}
    assert covered.pop("checkout-us") < 0.5 < min(covered.values())


def test_the_week_and_the_year_have_a_shape(told):
    days = [told.day(d["completed_at"]) for t in told.teams for d in told.of[t.slug]["deployment"]]
    weekend = sum(d.weekday() >= 5 for d in days) / len(days)
    assert 0 < weekend < 0.06
    frozen = [d for d in days if (d.month, d.day) >= (12, 20) or (d.month, d.day) <= (1, 2)]
    assert len(frozen) / len(days) < 0.03
    half = told.last - timedelta(days=200)
    assert sum(d > half for d in days) > 1.1 * sum(d <= half for d in days)


def test_nothing_is_known_before_it_happens_and_no_duration_is_negative(told):
    end = told.window.end
    for rows in told.of.values():
        done = {d["key"]: d["completed_at"] for d in rows["deployment"]}
        assert len(done) == len(rows["deployment"])
        assert all(d["created_at"] <= d["completed_at"] < end for d in rows["deployment"])
        assert all(c["committed_at"] <= done[c["deployment"]] for c in rows["deployment_change"])
        for i in rows["incident"]:
            steps = [i["opened_at"], i["acknowledged_at"], i["resolved_at"]]
            known = [s for s in (*steps, i["postmortem_published_at"]) if s]
            assert known == sorted(known)
            assert known[-1] < end
            assert i["caused_by"] is None or done[i["caused_by"]] <= i["opened_at"]
        assert all(r["assessed_at"] < end for r in rows["control_result"])


def test_hours_burn_at_least_as_fast_as_their_day(told):
    for rows in told.of.values():
        allowed = {o["key"]: 1 - o["target_percent"] / 100 for o in rows["objective"]}
        for d in rows["objective_day"]:
            if not d["total"]:
                assert d["good"] == 0
                assert d["burn_1h_max"] is None
                continue
            burn = (d["total"] - d["good"]) / d["total"] / allowed[d["key"]]
            assert burn <= d["burn_6h_max"] <= d["burn_1h_max"] <= 1 / allowed[d["key"]] + 0.01


def test_keys_are_unique(told):
    keys = {
        "deployment": ("key",),
        "deployment_change": ("deployment", "key"),
        "incident": ("key",),
        "objective_day": ("key", "day"),
        "control_result": ("framework", "control", "assessed_at"),
        "certificate": ("fingerprint", "host", "port"),
        "vendor": ("key",),
        "vendor_review": ("vendor", "completed_on"),
    }
    for rows in told.of.values():
        for table, columns in keys.items():
            found = [tuple(row[c] for c in columns) for row in rows[table]]
            assert len(set(found)) == len(found), table


def test_the_volume_is_that_of_a_real_organisation():
    told = tell(*TELLINGS[0])
    count = {
        table: sum(len(rows[table]) for rows in told.of.values()) for table in told.of["payments"]
    }
    assert 15_000 <= count["deployment"] + count["deployment_change"] <= 30_000
    assert 1_200 <= count["incident"] <= 1_800
    assert 50 <= count["objective"] <= 70
    assert 100 <= count["vendor"] <= 140
    serving = sum(
        c["superseded_at"] is None for rows in told.of.values() for c in rows["certificate"]
    )
    assert 150 <= serving <= 300
    assert {f: len(set(c)) for f, c in CONTROLS.items()} == {
        "SOC2": 45,
        "ISO27001": 60,
        "HIPAA": 35,
    }


@long("tests/demo/test_demo_stories.py::test_another_seed_gives_other_records")
def test_the_same_seed_gives_the_same_records_in_any_process():
    code = (
        "import hashlib; from datetime import date; from zoneinfo import ZoneInfo;"
        "from demo.generate import records; from demo.stories import teams;"
        "from aggregators.records.demo import Window;"
        "w = Window(date(2026, 8, 1), date(2026, 11, 22), ZoneInfo('UTC'));"
        "print(hashlib.sha256(repr([(t, records(t, w, 3)) for t in teams(20, 3)]).encode())"
        ".hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(found) == 1


def test_another_seed_gives_other_records():
    window = Window(date(2026, 8, 1), date(2026, 11, 22), ZoneInfo("UTC"))
    assert records(STORIES[0], window, 3) == records(STORIES[0], window, 3)
    assert records(STORIES[0], window, 3) != records(STORIES[0], window, 4)


def test_a_thousand_workspaces_have_names_of_their_own():
    made = teams(1000, 1)
    assert len({t.slug for t in made}) == len({t.name for t in made}) == 1000
    assert all(re.match(SLUG, t.slug) and 3 <= len(t.slug) <= 30 for t in made)
    assert all(re.fullmatch("#[0-9A-F]{6}", t.accent) for t in made)
    assert sum(not t.is_active for t in teams(12, 1)) == 1


def test_every_habit_of_a_story_is_one_that_a_domain_knows():
    known = {
        field.name
        for module in GENERATORS.values()
        for kind in vars(module).values()
        if isinstance(kind, type) and is_dataclass(kind)
        for field in fields(kind)
    }
    told = {habit for team in teams(20, 1) for habit in team.habits}
    assert told <= known, told - known


@pytest.mark.parametrize("count", [0, 10_001])
def test_so_many_workspaces_there_are_not(count):
    with pytest.raises(ValueError, match="1 to 10,000"):
        teams(count, 1)


def test_a_larger_organisation_has_the_teams_of_a_smaller_one_and_each_once():
    large = teams(MOST, 1)
    assert teams(1_000, 1) == large[:1_000]
    assert len({team.slug for team in large}) == len({team.name for team in large}) == MOST
