"""A bad row is reported with line, column and reason, and the good ones beside it are kept."""

import pytest

GOOD = {
    "workspaces": ({}, {"slug": "good-one", "name": "Good"}),
    "deployments": (
        {"created_at": "2026-11-01T09:00:00Z"},
        {
            "workspace": "payments",
            "key": "good",
            "completed_at": "2026-11-01T12:00:00Z",
            "outcome": "successful",
        },
    ),
    "changes": (
        {},
        {
            "workspace": "payments",
            "deployment": "d-1",
            "key": "good",
            "committed_at": "2026-10-01T12:00:00Z",
        },
    ),
    "incidents": (
        {},
        {"workspace": "payments", "key": "good", "opened_at": "2026-11-01T10:00:00Z"},
    ),
    "slos": ({}, {"workspace": "payments", "key": "good", "target_percent": "99"}),
    "slo-days": (
        {},
        {
            "workspace": "payments",
            "key": "checkout",
            "day": "2026-11-01",
            "good": "1",
            "total": "2",
        },
    ),
    "control-results": (
        {},
        {
            "workspace": "payments",
            "framework": "SOC2",
            "control": "good",
            "result": "compliant",
            "assessed_at": "2026-11-01T00:00:00Z",
        },
    ),
    "certificates": (
        {},
        {
            "workspace": "payments",
            "fingerprint": "good",
            "not_before": "2026-01-01T00:00:00Z",
            "not_after": "2027-01-01T00:00:00Z",
        },
    ),
    "vendors": ({}, {"workspace": "payments", "key": "good", "name": "Good", "tier": "4"}),
    "vendor-reviews": (
        {},
        {"workspace": "payments", "vendor": "ven-1", "completed_on": "2026-01-01"},
    ),
}
STORED = (
    (
        "deployments",
        "workspace,key,completed_at,outcome\n"
        "payments,d-1,2026-11-02T12:00:00Z,failed\nsearch,d-2,2026-11-02T12:00:00Z,failed\n",
    ),
    (
        "incidents",
        "workspace,key,opened_at,resolved_at,caused_by\n"
        "payments,INC-0,2026-11-01T00:00:00Z,2026-11-05T00:00:00Z,d-3\n",
    ),
    (
        "changes",
        "workspace,deployment,key,committed_at\npayments,d-1,c-0,2026-11-01T00:00:00Z\n",
    ),
    ("slos", "workspace,key,target_percent\npayments,checkout,99.9\nsearch,other,99\n"),
    ("vendors", "workspace,key,name,tier\npayments,ven-1,Acme,1\n"),
)

BAD = [
    ("workspaces", {"slug": "UPPER"}, "slug", "takes a slug of 3 to 30 lower-case"),
    ("workspaces", {"slug": "ab"}, "slug", "3 to 30"),
    ("workspaces", {"slug": "a" * 31}, "slug", "3 to 30"),
    ("workspaces", {"slug": "a--b"}, "slug", "single hyphens"),
    ("workspaces", {"slug": "abc-"}, "slug", "single hyphens"),
    ("workspaces", {"name": ""}, "name", "is required"),
    ("workspaces", {"name": "n" * 201}, "name", "at most 200 characters, has 201"),
    ("workspaces", {"accent": "red"}, "accent", "#0B5CAD"),
    ("workspaces", {"accent": "#12345g"}, "accent", "#0B5CAD"),
    ("workspaces", {"is_active": "perhaps"}, "is_active", "true or false"),
    ("deployments", {"workspace": ""}, "workspace", "is required"),
    ("deployments", {"workspace": "nowhere"}, "workspace", "no workspace 'nowhere'"),
    ("deployments", {"key": "k" * 201}, "key", "at most 200"),
    ("deployments", {"key": "a\0b"}, "key", "control character U+0000"),
    ("deployments", {"key": "a\x1bb"}, "key", "control character U+001B"),
    ("deployments", {"service": "abc\u202etxt"}, "service", "U+202E"),
    ("deployments", {"outcome": "great"}, "outcome", "successful, successful_with_issues, failed"),
    ("deployments", {"completed_at": ""}, "completed_at", "is required"),
    ("deployments", {"completed_at": "2026-11-01T12:00:00"}, "completed_at", "has no offset"),
    ("deployments", {"completed_at": "2026-11-01"}, "completed_at", "the date 2026-11-01 alone"),
    ("deployments", {"completed_at": "yesterday"}, "completed_at", "2026-11-22T09:30:00Z"),
    ("deployments", {"completed_at": "2026-02-30T12:00:00Z"}, "completed_at", "no instant that"),
    ("deployments", {"completed_at": "1999-12-31T23:59:59Z"}, "completed_at", "2000 and 2100"),
    ("deployments", {"completed_at": "0001-01-01T00:00:00+14:00"}, "completed_at", "no instant"),
    ("deployments", {"completed_at": "２026-11-01T12:00:00Z"}, "completed_at", "takes an instant"),
    ("deployments", {"completed_at": "2026-11-01T08:59:59Z"}, "completed_at", "before created_at"),
    (
        "deployments",
        {"key": "d-1", "created_at": "", "completed_at": "2026-10-31T00:00:00Z"},
        "completed_at",
        "before committed_at of the deployment change",
    ),
    (
        "deployments",
        {"key": "d-3", "completed_at": "2026-11-05T00:00:01Z"},
        "completed_at",
        "after resolved_at of the incident",
    ),
    ("changes", {"deployment": "d-9"}, "deployment", "no deployment 'd-9'"),
    ("changes", {"deployment": "d-2"}, "deployment", "no deployment 'd-2'"),
    (
        "changes",
        {"committed_at": "2026-11-02T12:00:00.000001Z"},
        "committed_at",
        "after completed_at of the deployment",
    ),
    ("incidents", {"severity": "p5"}, "severity", "p1, p2, p3, p4"),
    ("incidents", {"title": "t" * 501}, "title", "at most 500"),
    ("incidents", {"title": '"two\nlines"'}, "title", "control character U+000A"),
    ("incidents", {"acknowledged_at": "2026-11-01T09:00:00Z"}, "acknowledged_at", "opened_at"),
    ("incidents", {"resolved_at": "2026-11-01T09:00:00Z"}, "resolved_at", "before opened_at"),
    (
        "incidents",
        {"postmortem_published_at": "2026-11-01T09:00:00Z"},
        "postmortem_published_at",
        "before opened_at",
    ),
    (
        "incidents",
        {"caused_by": "d-1", "resolved_at": "2026-11-02T11:59:59Z"},
        "resolved_at",
        "before completed_at of the deployment",
    ),
    ("slos", {"target_percent": "0"}, "target_percent", "above 0 and at most 100"),
    ("slos", {"target_percent": "100.01"}, "target_percent", "above 0 and at most 100"),
    ("slos", {"target_percent": "nan"}, "target_percent", "takes a number"),
    ("slos", {"target_percent": "99,9"}, None, "has 4 cells where the header has 3"),
    ("slos", {"target_percent": '"99,9"'}, "target_percent", "takes a number such as 99.9"),
    ("slos", {"window_days": "367"}, "window_days", "from 1 to 366"),
    ("slos", {"window_days": "1.5"}, "window_days", "whole number"),
    ("slos", {"type": "speed"}, "type", "availability, latency, error_rate, custom"),
    ("slo-days", {"key": "other"}, "key", "no objective 'other'"),
    ("slo-days", {"good": "3"}, "total", "is less than good: 2 against 3"),
    ("slo-days", {"good": "-1"}, "good", "of at least 0"),
    ("slo-days", {"total": "inf"}, "total", "takes a number"),
    ("slo-days", {"total": "1e999"}, "total", "at most 1e+15"),
    ("slo-days", {"burn_1h_max": "-0.1"}, "burn_1h_max", "of at least 0"),
    ("slo-days", {"day": "2026-11-31"}, "day", "no date that exists"),
    ("slo-days", {"day": "01.11.2026"}, "day", "YYYY-MM-DD"),
    ("slo-days", {"day": "2101-01-01"}, "day", "2000 and 2100"),
    ("control-results", {"result": "passed"}, "result", "compliant, partial, non_compliant"),
    ("control-results", {"valid_until": "2026-10-31T00:00:00Z"}, "valid_until", "assessed_at"),
    ("certificates", {"not_after": ""}, "not_after", "is required"),
    ("certificates", {"not_after": "2025-12-31T00:00:00Z"}, "not_after", "before not_before"),
    ("certificates", {"port": "65536"}, "port", "from 0 to 65535"),
    ("vendors", {"tier": "5"}, "tier", "from 1 to 4"),
    ("vendors", {"status": "gone"}, "status", "prospective, active, suspended, terminated"),
    ("vendor-reviews", {"vendor": "ven-9"}, "vendor", "no vendor 'ven-9'"),
    ("vendor-reviews", {"next_due_on": "2025-12-31"}, "next_due_on", "before completed_on"),
]


@pytest.fixture
def records(bring):
    for kind, content in STORED:
        assert not bring(kind, content).failed


@pytest.mark.parametrize(("kind", "wrong", "column", "reason"), BAD)
def test_it_names_line_column_and_reason_and_keeps_the_rest(
    kind, wrong, column, reason, bring, records
):
    optional, good = GOOD[kind]
    bad = good | {"key": "bad"} if "key" in good and kind != "slo-days" else dict(good)
    bad |= optional | wrong
    names = list(bad)
    lines = [names, [bad[n] for n in names], [good.get(n, "") for n in names]]
    outcome = bring(kind, "".join(",".join(line) + "\n" for line in lines))
    (reject,) = outcome.rejects
    assert (reject.line, reject.column) == (2, column or "")
    assert reason in reject.reason
    assert (outcome.read, outcome.written, outcome.rejected) == (2, 1, 1)


def test_the_record_is_named(bring):
    outcome = bring(
        "deployments",
        "workspace,key,created_at,completed_at,outcome\n"
        "payments,d-17,2026-11-02T00:00:00Z,2026-11-01T00:00:00Z,failed\n",
    )
    assert str(outcome.rejects[0]).endswith(
        ":2: completed_at: lies before created_at: 2026-11-01T00:00:00Z against "
        "2026-11-02T00:00:00Z [payments/d-17]"
    )


def test_what_is_printed_of_a_cell_is_short_and_harmless(bring):
    outcome = bring("vendors", f"workspace,key,name,tier\npayments,\x1b[2J,{'x' * 9000},1\n")
    said = str(outcome.rejects[0])
    assert said.isprintable()
    assert len(said) < 400


def test_line_numbers_count_newlines_within_quotes(bring):
    outcome = bring(
        "vendors",
        "workspace,key,name,tier,note\n"
        'payments,v-1,One,1,"a note\nover three\r\nlines"\n'
        "\n"
        "payments,v-2,Two,9,\n",
    )
    assert outcome.written == 1
    assert [(r.line, r.column) for r in outcome.rejects] == [(6, "tier")]


def test_a_check_sees_the_stored_value_of_a_column_that_the_file_does_not_have(bring):
    head = "workspace,key,outcome,completed_at"
    bring(
        "deployments",
        f"{head},created_at\npayments,d-1,failed,2026-11-02T00:00:00Z,2026-11-01T00:00:00Z\n",
    )
    outcome = bring("deployments", f"{head}\npayments,d-1,failed,2026-10-31T00:00:00Z\n")
    assert "before created_at" in outcome.rejects[0].reason


def test_a_link_is_checked_though_the_file_does_not_name_it(bring, records):
    head = "workspace,key,opened_at"
    bring("incidents", f"{head},caused_by\npayments,INC-1,2026-11-01T00:00:00Z,d-1\n")
    outcome = bring(
        "incidents",
        f"{head},resolved_at\npayments,INC-1,2026-11-01T00:00:00Z,2026-11-02T00:00:00Z\n",
    )
    assert "before completed_at of the deployment" in outcome.rejects[0].reason


def test_at_most_a_hundred_rejects_are_kept_the_first_ones(bring):
    rows = "".join(f"payments,v-{i},V,{i % 2 * 9}\n" for i in range(1000))
    outcome = bring("vendors", "workspace,key,name,tier\n" + rows)
    assert outcome.rejected == 1000
    assert [r.line for r in outcome.rejects] == list(range(2, 102))
