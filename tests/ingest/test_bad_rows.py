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
    ("slos", {"target_percent": "0"}, "target_percent", "above 0 and at most 100"),
    ("slos", {"target_percent": "100.01"}, "target_percent", "above 0 and at most 100"),
    ("slos", {"target_percent": "nan"}, "target_percent", "takes a number"),
    ("slos", {"target_percent": "99,9"}, None, "has 4 cells where the header has 3"),
    ("slos", {"target_percent": '"99,9"'}, "target_percent", "takes a number such as 99.9"),
    ("slos", {"window_days": "367"}, "window_days", "from 1 to 366"),
    ("slos", {"window_days": "1.5"}, "window_days", "whole number"),
    ("slos", {"type": "speed"}, "type", "availability, latency, error_rate, custom"),
    ("slo-days", {"good": "3"}, "total", "is less than good: 2 against 3"),
    ("slo-days", {"good": "-1"}, "good", "of at least 0"),
    ("slo-days", {"total": "inf"}, "total", "takes a number"),
    ("slo-days", {"total": "1e999"}, "total", "at most 1e+15"),
    ("slo-days", {"burn_1h_max": "-0.1"}, "burn_1h_max", "of at least 0"),
    ("slo-days", {"day": "2026-11-31"}, "day", "no date that exists"),
    ("slo-days", {"day": "01.11.2026"}, "day", "YYYY-MM-DD"),
    ("slo-days", {"day": "2101-01-01"}, "day", "2000 and 2100"),
    ("control-results", {"result": "passed"}, "result", "compliant, partial, non_compliant"),
    ("certificates", {"not_after": ""}, "not_after", "is required"),
    ("certificates", {"not_after": "2025-12-31T00:00:00Z"}, "not_after", "before not_before"),
    ("certificates", {"port": "65536"}, "port", "from 0 to 65535"),
    ("vendors", {"tier": "5"}, "tier", "from 1 to 4"),
    ("vendors", {"status": "gone"}, "status", "prospective, active, suspended, terminated"),
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
        "workspace,key,completed_at,outcome\npayments,d-17,2026-11-02T00:00:00Z,great\n",
    )
    assert str(outcome.rejects[0]).endswith("got 'great' [payments/d-17]")


LOST = [
    (
        "deployments",
        "key,created_at,completed_at,outcome\nd,2026-11-02T09:00:00Z,2026-11-01T09:00:00Z,failed\n",
        {"created_at": None, "outcome": "failed"},
        "d: created_at lies after completed_at",
    ),
    (
        "incidents",
        "key,opened_at,acknowledged_at\nd,2026-11-01T10:00:00Z,2026-11-01T09:00:00Z\n",
        {"acknowledged_at": None},
        "d: acknowledged_at lies before opened_at",
    ),
    (
        "incidents",
        "key,opened_at,acknowledged_at,resolved_at\n"
        "d,2026-11-01T10:00:00Z,2026-11-02T09:00:00Z,2026-11-01T11:00:00Z\n",
        {"acknowledged_at": None, "is_over": False},
        "d: acknowledged_at lies after resolved_at",
    ),
    (
        "incidents",
        "key,opened_at,resolved_at\nd,2026-11-01T10:00:00Z,2026-11-01T09:00:00Z\n",
        {"resolved_at": None, "is_over": True},
        "d: resolved_at lies before opened_at",
    ),
    (
        "incidents",
        "key,opened_at,postmortem_published_at\nd,2026-11-01T10:00:00Z,2026-11-01T09:00:00Z\n",
        {"postmortem_published_at": None},
        "d: postmortem_published_at lies before opened_at",
    ),
    (
        "incidents",
        "key,opened_at,severity\nd,2026-11-01T10:00:00Z,wobbly\n",
        {"severity": "p3"},
        "d: severity is unknown: 'wobbly'",
    ),
    (
        "control-results",
        "framework,control,result,assessed_at,valid_until\n"
        "SOC2,c,compliant,2026-11-01T00:00:00Z,2026-10-31T00:00:00Z\n",
        {"valid_until": None, "result": "compliant"},
        "valid_until lies before assessed_at",
    ),
    (
        "vendor-reviews",
        "vendor,completed_on,next_due_on\nven-1,2026-01-01,2025-12-31\n",
        {"next_due_on": None},
        "next_due_on lies before completed_on",
    ),
]


@pytest.mark.parametrize(("kind", "content", "record", "note"), LOST)
def test_what_can_not_be_is_lost_and_told_and_the_record_stays(
    kind, content, record, note, bring, stored
):
    outcome = bring(kind, content, workspace="payments")
    assert (outcome.written, outcome.rejected) == (1, 0)
    (row,) = stored(kind)
    assert {name: row[name] for name in record} == record
    assert any(note in warning for warning in outcome.warnings), outcome.warnings


UNLINKED = [
    (
        "changes",
        "deployment,key,committed_at\nd-9,c,2026-10-01T12:00:00Z\n",
        "the deployment 'd-9' is not known yet",
    ),
    (
        "slo-days",
        "key,day,good,total\nother,2026-11-01,1,2\n",
        "the objective 'other' is not known yet",
    ),
    (
        "vendor-reviews",
        "vendor,completed_on\nven-9,2026-01-01\n",
        "the vendor 'ven-9' is not known yet",
    ),
]


@pytest.mark.parametrize(("kind", "content", "reason"), UNLINKED)
def test_a_record_whose_partner_is_not_known_is_kept_and_told_as_in_no_figure(
    kind, content, reason, bring, stored
):
    outcome = bring(kind, content, workspace="payments")
    assert (outcome.written, outcome.rejected) == (1, 0)
    assert outcome.uncounted == {reason: 1}
    assert len(stored(kind)) == 1


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


def test_a_title_is_cut_or_folded_and_refuses_nothing(bring, stored):
    content = 'key,opened_at,title\na,2026-11-01T10:00:00Z,"two\nlines"\n'
    content += f"b,2026-11-01T10:00:00Z,{'t' * 600}\n"
    assert bring("incidents", content, workspace="payments").rejected == 0
    assert [len(row["title"]) for row in stored("incidents")] == [9, 500]


def test_an_instant_that_contradicts_an_earlier_file_is_lost_too(bring, stored):
    head = "workspace,key,outcome,completed_at"
    bring(
        "deployments",
        f"{head},created_at\npayments,d-1,failed,2026-11-02T00:00:00Z,2026-11-01T00:00:00Z\n",
    )
    outcome = bring("deployments", f"{head}\npayments,d-1,failed,2026-10-31T00:00:00Z\n")
    assert "created_at lies after completed_at" in outcome.warnings[0]
    assert stored("deployments")[0]["created_at"] is None


def test_at_most_a_hundred_rejects_are_kept_the_first_ones(bring):
    rows = "".join(f"payments,v-{i},V,{i % 2 * 9}\n" for i in range(1000))
    outcome = bring("vendors", "workspace,key,name,tier\n" + rows)
    assert outcome.rejected == 1000
    assert [r.line for r in outcome.rejects] == list(range(2, 102))
