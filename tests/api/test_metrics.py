"""The figures as OpenMetrics are those of the dashboard, for whoever may see it."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.webworld import API

PATH = "/api/v1/platform/metrics"


def samples(web, who: str, query: str = "") -> dict[tuple[str, str, str], float]:
    answer = web.sign_in(who).get(PATH + query)
    assert answer.mimetype == "application/openmetrics-text"
    return {
        (s.name, s.labels.get("workspace", ""), s.labels.get("group", "")): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }


def test_they_are_those_of_the_dashboard(web):
    told = samples(web, "alice", "?period=28")
    dashboard = web.sign_in("alice").get(f"{API}?period=28").json
    for domain in dashboard["domains"]:
        for workspace in [{"slug": "", **domain}, *domain["workspaces"]]:
            for key, figure in workspace["measures"].items():
                evidence = figure["evidence"]["denominator"]
                if figure.get("by") or evidence is None:
                    continue
                name = f"vigilo_{domain['key']}_{key}_denominator"
                assert told[name, workspace["slug"], ""] == evidence
    assert any(name.endswith("_ratio") for name, _, _ in told)


def test_they_need_the_role(web):
    answer = web.sign_in("bob").get(PATH)
    assert (answer.status_code, answer.json["code"]) == (403, "platform_admin_required")
    assert web.browser().get(PATH).status_code == 401


def test_a_wrong_period_is_said(web):
    assert web.sign_in("alice").get(PATH + "?period=3").json["field"] == "period"
