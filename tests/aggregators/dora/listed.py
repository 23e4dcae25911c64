"""Sums over what the workspace page of the domain lists, against its figures."""

from tests.aggregators.evidence import rate


def adds_up(rows, page):
    """Fails unless the rows of a workspace's page add up to its figures."""
    seen = page.figures["deployments"].evidence.days_seen
    assert seen < page.period.days or all(r["counted"] == "yes" for r in rows)
    rows = [r for r in rows if r["counted"] == "yes"]
    failed = sum(r["failed"] == "yes" for r in rows)
    if page.figures["change_failure_rate"].has_data:
        assert rate(page, "change_failure_rate") == (failed, len(rows))
    successful = sum(r["outcome"].startswith("successful") for r in rows)
    if page.figures["deploy_frequency"].has_data:
        assert rate(page, "deploy_frequency")[0] == successful
    if page.figures["lead_time_for_changes"].has_data:
        assert page.figures["lead_time_for_changes"].evidence.n == sum(r["changes"] for r in rows)
