"""Sums over what the workspace page of the domain lists, against its figures."""

from collections import Counter


def adds_up(rows, page):
    """Fails unless the rows of a workspace's page add up to its figures."""
    by = page.figures["pass_rate"].by or {}
    assert {r["framework"] for r in rows} == set(by)
    for framework, figure in by.items():
        results = Counter(r["result"] for r in rows if r["framework"] == framework)
        total = results.total() - results["not_applicable"]
        assert (figure.evidence.numerator, figure.evidence.denominator) == (
            results["compliant"],
            total,
        )
        soonest = [
            r["days_to_lapse"]
            for r in rows
            if r["framework"] == framework and r["days_to_lapse"] is not None
        ]
        lapse = page.figures["days_to_lapse"].by[framework]
        assert lapse.value == min(soonest, default=None)
