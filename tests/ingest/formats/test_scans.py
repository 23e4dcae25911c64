"""Scans of several tools: hosts, orders and repetitions."""

from __future__ import annotations

from itertools import chain, permutations

from tests.ingest.formats.telling import records, told
from tests.ingest.formats.test_hdf import control, profile, report
from tests.ingest.formats.test_xccdf import rule, scanned

SCANS = [
    ("xccdf", scanned(rule("a", "fail"), "db-1").encode()),
    ("xccdf", scanned(rule("a", "pass"), "db-1").encode()),
    ("xccdf", scanned(rule("a", "pass"), "db-2").encode()),
    ("xccdf", scanned(rule("a", "pass", time="2026-11-11T08:00:00Z"), "db-1").encode()),
    ("hdf", report(profile("base", control("a", 1, "passed")))),
]


def test_scans_in_any_order_and_twice_make_the_same_records():
    made = []
    for order in permutations(SCANS):
        statements = [told(form, "control-results", body) for form, body in (*order, order[0])]
        made.append(records("control-results", list(chain.from_iterable(statements))))
    assert all(each == made[0] for each in made)
    results = [
        (r["control"], r["asset"], r["assessed_at"].day, r["result"]) for r in made[0].values()
    ]
    assert sorted(results) == [
        ("a", "", 12, "compliant"),
        ("a", "db-1", 10, "non_compliant"),
        ("a", "db-1", 11, "compliant"),
        ("a", "db-2", 10, "compliant"),
    ]
