"""Random raw records of sixty days, for tests that compare the program with a slow computation."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from tests.plain.records import Records, span_days

LAST = date(2026, 11, 22)
FIRST = LAST - timedelta(days=59)
START = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
LENGTH = 60 * 86400

moments = st.integers(0, LENGTH - 1).map(lambda s: START + timedelta(seconds=s))
waits = st.one_of(st.integers(0, 3 * 3600), st.integers(0, 30 * 86400))
outcomes = st.sampled_from(
    ["successful", "successful", "successful_with_issues", "failed", "rolled_back", "cancelled"]
)


environments = st.sampled_from(["production", "production", "live", "staging"])
"""Environments: ``live`` is mapped to production."""
services = st.sampled_from([None, "api", "api", "web"])
zones = st.sampled_from(["UTC", "UTC", "America/New_York", "Asia/Kathmandu"])
"""Reporting zones: the sixty days hold the end of daylight saving time in New York."""


HOSTS = ["host-a", "host-b"]


def _maybe(strategy):
    return st.one_of(st.none(), strategy)


def _after(moment, seconds):
    return None if seconds is None else moment + timedelta(seconds=seconds)


@st.composite
def deployments(draw):
    rows, changes, roll_backs = [], [], []
    for i in range(draw(st.integers(0, 12))):
        done = draw(moments)
        if rows and draw(st.integers(0, 5)) == 0:  # two at one instant
            done = draw(st.sampled_from(rows))["completed_at"]
        created = draw(_maybe(waits))
        rows.append(
            {
                "key": f"d{i}",
                "completed_at": done,
                "created_at": None if created is None else done - timedelta(seconds=created),
                "environment": draw(environments),
                "outcome": draw(outcomes),
                "left_out": draw(st.sampled_from([None, None, None, "withdrawn"])),
                "service": draw(services),
                "merged_into": None,
                "part_of": None,
            }
        )
        rows[-1]["production"] = rows[-1]["environment"] != "staging"
        others = [row["key"] for row in rows[:-1] if row["left_out"] != "merged"]
        if others and draw(st.integers(0, 4)) == 0:  # the same as another, by a rule or by hand
            into = draw(st.sampled_from(others))
            rows[-1] |= {"left_out": "merged", "merged_into": into, "part_of": into}
        for key in draw(st.sets(st.integers(0, 9), max_size=2)):
            committed = done - timedelta(seconds=draw(waits))
            changes.append({"deployment": f"d{i}", "key": f"c{key}", "committed_at": committed})
    for i in range(draw(st.sampled_from([0, 1, 3])) if rows else 0):
        bad = draw(st.sampled_from(rows))  # most often the roll-back of a deployment, soon after it
        at = draw(
            st.one_of(waits.map(lambda s, d=bad: d["completed_at"] + timedelta(seconds=s)), moments)
        )
        named = draw(st.sampled_from([bad["environment"], "production", "live"]))
        told = {"environment": named, "service": bad["service"] or ""}
        roll_backs.append({"key": f"r{i}", "rolled_back_at": at, **told})
    return rows, changes, roll_backs


@st.composite
def incidents(draw, deployed):
    rows = []
    for i in range(draw(st.integers(0, 8))):
        cause = draw(_maybe(st.sampled_from(deployed))) if deployed else None
        opened = max(draw(moments), cause["completed_at"]) if cause else draw(moments)
        acknowledged, resolved = draw(_maybe(waits)), draw(_maybe(waits))
        rows.append(
            {
                "key": f"INC-{i:04d}",
                "severity": draw(st.sampled_from(["p1", "p2", "p3", "p4"])),
                "opened_at": opened,
                "acknowledged_at": _after(opened, acknowledged),
                "resolved_at": _after(opened, resolved),
                "caused_by": cause and cause["key"],
                "postmortem_required": draw(_maybe(st.booleans())),
                "postmortem_published_at": draw(_maybe(moments)),
                "left_out": draw(st.sampled_from([None, None, None, "withdrawn", "merged"])),
                "is_over": resolved is not None or draw(st.booleans()),
            }
        )
    return rows


@st.composite
def objectives(draw):
    rows, days = [], []
    for i in range(draw(st.integers(0, 3))):
        rows.append(
            {
                "key": f"SLO-{i:03d}",
                "target_percent": draw(st.sampled_from([90.0, 99.0, 99.9, 100.0])),
                "window_days": draw(st.sampled_from([1, 7, 30])),
            }
        )
        for offset in draw(st.sets(st.integers(0, 59), max_size=20)):
            total = draw(st.sampled_from([0, 10, 1000]))
            bad = min(total, draw(st.sampled_from([0, 0, 1, 5, 100])))
            days.append(
                {
                    "key": f"SLO-{i:03d}",
                    "day": FIRST + timedelta(days=offset),
                    "good": float(total - bad),
                    "total": float(total),
                }
            )
    return rows, days


@st.composite
def controls(draw):
    """Results of controls of hosts and of none; some organisations know no host."""
    rows, assets = {}, draw(st.sampled_from([[], HOSTS]))
    for _ in range(draw(st.integers(0, 14))):
        framework, control = draw(st.sampled_from(["SOC2", "HIPAA"])), f"C{draw(st.integers(0, 4))}"
        assessed = draw(moments) - timedelta(days=draw(st.sampled_from([0, 0, 40, 70])))
        valid = draw(_maybe(st.integers(0, 90 * 86400)))
        asset = draw(st.sampled_from(["", *assets]))
        rows[framework, control, asset, assessed] = {
            "framework": framework,
            "control": control,
            "asset": asset,
            "assessed_at": assessed,
            "result": draw(
                st.sampled_from(
                    [
                        "compliant",
                        "compliant",
                        "partial",
                        "non_compliant",
                        "not_assessed",
                        "not_applicable",
                    ]
                )
            ),
            "valid_until": None if valid is None else assessed + timedelta(seconds=valid),
        }
    return list(rows.values())


@st.composite
def retirements(draw):
    places = st.tuples(st.sampled_from(HOSTS), st.sampled_from(["", "SOC2"]))
    return [
        {"asset": asset, "framework": framework, "retired_at": draw(moments)}
        for asset, framework in sorted(draw(st.sets(places, max_size=2)))
    ]


@st.composite
def certificates(draw):
    rows = []
    for i in range(draw(st.integers(0, 8))):
        before = draw(moments)
        rows.append(
            {
                "fingerprint": f"f{i}",
                "names": draw(st.sampled_from([None, None, "a.example", "b.example"])),
                "host": "",
                "port": 0,
                "not_before": before,
                "not_after": before + timedelta(seconds=draw(st.integers(0, 120 * 86400))),
                "first_seen": draw(_maybe(moments)),
                "revoked_at": draw(_maybe(moments)),
                "superseded_at": draw(_maybe(moments)),
            }
        )
    return rows


@st.composite
def vendors(draw):
    rows, reviews = [], {}
    for i in range(draw(st.integers(0, 5))):
        key = f"VEN-{i:03d}"
        rows.append(
            {
                "key": key,
                "name": key,
                "tier": draw(st.sampled_from([1, 1, 2])),
                "status": draw(st.sampled_from(["active", "active", "suspended"])),
                "added_on": draw(
                    _maybe(st.integers(-700, 59).map(lambda d: FIRST + timedelta(days=d)))
                ),
            }
        )
        for _ in range(draw(st.integers(0, 2))):
            done = FIRST + timedelta(days=draw(st.integers(-500, 59)))
            due = draw(_maybe(st.integers(0, 500)))
            reviews[key, done] = {
                "vendor": key,
                "completed_on": done,
                "next_due_on": None if due is None else done + timedelta(days=due),
            }
    return rows, list(reviews.values())


@st.composite
def workspaces(draw):
    deployed, changes, roll_backs = draw(deployments())
    slos, slo_days = draw(objectives())
    suppliers, reviews = draw(vendors())
    missing = draw(st.sets(st.integers(0, 59), max_size=draw(st.sampled_from([0, 2, 5]))))
    return Records(
        deployed,
        changes,
        roll_backs,
        draw(incidents(deployed)),
        slos,
        slo_days,
        draw(controls()),
        draw(retirements()),
        draw(certificates()),
        suppliers,
        reviews,
        days={d for i, d in enumerate(span_days(FIRST, LAST)) if i not in missing},
    )


@st.composite
def known_certificates(draw):
    """Certificates of scans: unreadable ones, several hosts of one fingerprint, undated ones."""
    found = draw(certificates())
    for n, row in enumerate(found):
        row["host"] = draw(st.sampled_from(["", "a.example", "b.example"]))
        row["port"] = n
        row["fingerprint"] = f"f{draw(st.integers(0, 5))}"
        row["names"] = draw(st.sampled_from([None, "inn.example", "inn.example"]))
        row["subject"] = draw(st.sampled_from([None, "CN=inn.example"]))
        row["key_usage"] = draw(st.sampled_from([None, "EC", "EC", "RSA"]))
        row["last_seen"] = draw(_maybe(moments))
        if draw(st.booleans()):
            row["not_before"] = row["not_after"] = None
    return found


@st.composite
def busy(draw):
    """Many objectives of one window, budgets of every state, burns of an hour, ties."""
    slos, days = draw(objectives())
    for row in slos:
        row["window_days"] = draw(st.sampled_from([1, 7, 30, 366]))
        row["calendar"] = draw(st.sampled_from([None, None, "week", "month", "quarter", "year"]))
    for row in days:
        row["burn_1h_max"] = draw(st.sampled_from([None, 0.0, 1.5, 14.4]))
    return slos, days


@st.composite
def memberships(draw):
    granted = draw(st.lists(st.tuples(moments, _maybe(waits)), max_size=4))
    return [{"granted_at": at, "revoked_at": _after(at, later)} for at, later in granted]


@st.composite
def teams(draw) -> Records:
    """A workspace with all that ``workspaces`` holds, and the rarer."""
    made = draw(workspaces())
    made.membership = draw(memberships())
    made.certificate = draw(known_certificates())
    made.objective, made.objective_day = draw(busy())
    return made


calls = st.lists(
    st.tuples(st.integers(-3, 59), st.integers(0, 59), st.booleans()).map(
        lambda c: (min(c[0], c[1]), max(c[0], c[1]), c[2])
    ),
    min_size=1,
    max_size=4,
)
