"""Events of the audit in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage.audit.seen import SeenEvent
from web.platform.words_of_events import in_words

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("action", "subject", "details", "title", "of_what", "in_detail"),
    [
        ("session.begin", "a@x.example", {"by": "password", "address": ""}, "Signed in", "",
         "by password"),
        ("mapping.set", "*", {"word": "kiosk"}, "Meaning set", "the organisation", "word kiosk"),
        ("source.run", "12", {}, "Source synced by hand", "source 12", ""),
        ("export.render", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", {"scope": ["a", "b"]}, "Export made",
         "export 1b4e28ba", "scope 2 (a, b)"),
        ("access.deny", "/platform/nights", {"others_follow": True, "status": 403}, "Access denied",
         "/platform/nights", "others follow, status 403"),
        ("access.deny", "/ws/alpha/x", {"status": 404}, "Answered that it is not there", "/ws/alpha/x",
         "status 404"),
        ("evidence.open", "payments", {"domain": "dora",
         "series": "failed_deployments/ended_deployments"}, "Evidence opened", "payments",
         "domain Delivery (DORA), series Delivery (DORA): Change failure rate"),
        ("signal.change", "search", {"series": "resolve_time", "state": "snoozed"}, "Signal answered",
         "search", "series Incidents: MTTR, state snoozed"),
        ("setting.change", "compliance.pass_rate/SOC2", {"to": "95 %"}, "Setting changed",
         "Compliance: Control pass rate, SOC2", "to 95 %"),
        ("setting.change", "of_before", {}, "Setting changed", "of_before", ""),
        ("member.change", "payments", {"user": "b@x.example", "before": "viewer",
         "after": "platform_admin"}, "Role changed", "payments",
         "user b@x.example, before viewer, after platform admin"),
        ("annotation.add", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", {"about": "incidents.mttr"},
         "Annotation made", "annotation 1b4e28ba", "about Incidents: MTTR"),
        ("export.request", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", {"domains": ["dora", "slos"]},
         "Export asked for", "export 1b4e28ba", "domains 2 (Delivery (DORA), SLOs)"),
        ("widget.turn_over", "left", {"x": "y" * 200}, "Widget: turn over", "left",
         f"x {'y' * 79}…"),
        ("record.correct", "alpha/incidents", {f"field_{n}": n for n in range(1, 10)},
         "Record corrected", "alpha/incidents",
         "field 1 1, field 2 2, field 3 3, field 4 4, field 5 5, field 6 6 and 3 more"),
    ],
)  # fmt: skip
def test_each_is_told_as_people_say_it(action, subject, details, title, of_what, in_detail):
    words = in_words(SeenEvent(1, AT, "a@x.example", action, subject, details))
    assert (words.title, words.subject, words.details) == (title, of_what, in_detail)


@pytest.mark.parametrize(
    ("action", "is_refusal"),
    [
        ("access.deny", True),
        ("session.refuse", True),
        ("export.fail", True),
        ("export.render", False),
    ],
)
def test_refusals_are_marked(action, is_refusal):
    assert in_words(SeenEvent(1, AT, "a", action, None, {})).is_refusal is is_refusal
