"""Table of who may what: every route and callback, and the people who get through to it.

A route that is not here fails the build (``test_matrix.py``): whoever adds one says who it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PEOPLE = ("anonymous", "nobody", "viewer", "engineer", "approver", "admin", "owner", "platform_admin",
          "elsewhere", "leaver", "deactivated", "expired", "dashboard_token", "ingest_token",
          "stray_token")  # fmt: skip
"""People of workspace alpha by role; ``elsewhere`` is platform admin of beta alone, ``leaver`` was that of
alpha until a moment ago, in a session that goes on; ``deactivated`` and ``expired`` were signed in. The
tokens: the platform admin's for the dashboard, an engineer's that sends into alpha, one for beta."""
EVERYBODY = frozenset(PEOPLE)
TOKENS = frozenset({"dashboard_token", "ingest_token", "stray_token"})
SIGNED_IN = EVERYBODY - TOKENS - {"anonymous", "deactivated", "expired"}
MEMBERS = SIGNED_IN - {"nobody", "elsewhere", "leaver"}
KEEPERS = MEMBERS - {"viewer", "approver"}
MANAGERS = frozenset({"admin", "owner", "platform_admin"})
SENDER = frozenset({"ingest_token"})
ADMIN = frozenset({"platform_admin"})
PLATFORM = ADMIN | {"elsewhere"}
NOBODY: frozenset[str] = frozenset()
MEANING = {"about": "environment", "word": "kiosk", "meaning": "production"}
NONE = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class MatrixCell:
    """A request and who gets through to what it asks for. One that nobody's body fits is told so (4xx other
    than 401, 403 and 404) when its sender got through."""

    endpoint: str
    method: str
    path: str
    may: frozenset[str]
    sent: Mapping[str, Any] = field(default_factory=dict)


def get(endpoint: str, path: str, may: frozenset[str]) -> MatrixCell:
    return MatrixCell(endpoint, "GET", path, may)


def post(endpoint: str, path: str, may: frozenset[str], **sent: Any) -> MatrixCell:
    return MatrixCell(endpoint, "POST", path, may, sent or {"data": {}})


API = "/api/v1/ws/alpha"
ROWS = (
    get("login", "/login", EVERYBODY),
    post("login", "/login", EVERYBODY),
    get("second_step", "/second-factor", EVERYBODY),
    post("second_step", "/second-factor", EVERYBODY),
    get("invitation.page", "/invitation/never", NOBODY),
    post("invitation.accept", "/invitation/never", NOBODY),
    get("by_provider", "/sign-in/nobody", NOBODY),
    get("from_provider", "/sign-in/nobody/callback", NOBODY),
    get("healthz", "/healthz", EVERYBODY),
    get("readyz", "/readyz", EVERYBODY),
    get("metrics", "/metrics", EVERYBODY),
    get("_dash_assets.static", "/assets/base.css", EVERYBODY),
    get("asset", "/assets/v-0/page/main.js", EVERYBODY),
    get("shell.logo", "/logo", NOBODY),
    get("/_favicon.ico", "/_favicon.ico", EVERYBODY),
    get("/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
        "/_dash-component-suites/dash/dash-renderer/build/dash_renderer.min.js", EVERYBODY),
    get("home", "/start", SIGNED_IN),
    get("shell.workspaces", "/workspaces.json", SIGNED_IN),
    get("help.index", "/help", SIGNED_IN),
    get("help.article", "/help/nothing", NOBODY),
    get("logout", "/logout", SIGNED_IN),
    post("logout", "/logout", SIGNED_IN),
    get("/", "/", SIGNED_IN),
    get("/<path:path>", "/ws/alpha/platform/executive", PLATFORM),
    get("/<path:path>", "/ws/beta/platform/executive", PLATFORM),
    get("/<path:path>", "/ws/alpha/analytics", MEMBERS),
    get("/<path:path>", "/ws/beta/analytics", PLATFORM),
    get("/<path:path>", "/ws/nowhere/analytics", NOBODY),
    get("/<path:path>", "/anything/else", NOBODY),
    get("/_dash-layout", "/_dash-layout", SIGNED_IN),
    get("/_dash-dependencies", "/_dash-dependencies", SIGNED_IN),
    get("/_reload-hash", "/_reload-hash", SIGNED_IN),
    post("/_dash-update-component", "/_dash-update-component", SIGNED_IN, json={}),
    get("api.docs", "/api/docs", SIGNED_IN),
    get("api.openapi", "/api/openapi.json", SIGNED_IN | {"dashboard_token"}),
    get("api.executive_dashboard", "/api/v1/platform/executive-dashboard/",
        PLATFORM | {"dashboard_token"}),
    get("figures.workspaces", "/api/v1/workspaces/", SIGNED_IN | {"dashboard_token"}),
    get("figures.definitions", "/api/v1/definitions/", SIGNED_IN | {"dashboard_token"}),
    get("figures.workspace", f"{API}/domains/dora/", MEMBERS | {"dashboard_token"}),
    get("figures.records", f"{API}/domains/dora/records", MEMBERS | {"dashboard_token"}),
    get("figures.why", "/api/v1/platform/answers/worst_change_failure_rate/",
        PLATFORM | {"dashboard_token"}),
    # A token alone, never a session; what each person's tools answer is walked in test_mcp.py.
    post("assistant.exchange", "/mcp", frozenset({"dashboard_token"}), json={}),
    get("assistant.unasked", "/mcp", frozenset({"dashboard_token"})),
    MatrixCell("assistant.unasked", "DELETE", "/mcp", frozenset({"dashboard_token"})),
    get("exports.page", "/exports", SIGNED_IN),
    post("exports.create", "/exports", PLATFORM, json={"period": "7"}),
    get("exports.state", "/exports/{export}/state", ADMIN),
    get("exports.download", "/exports/{export}", ADMIN),
    post("exports.act", "/exports/{export}/cancel", ADMIN),
    post("exports.subscribe", "/exports/schedule", PLATFORM),
    post("exports.comment", "/exports/commentary", PLATFORM),
    post("exports.unsubscribe", "/exports/schedule/999/remove", NOBODY),
    get("records.csv", "/ws/alpha/records/dora.csv?period=7", MEMBERS),
    get("account.page", "/account", SIGNED_IN),
    post("account.password", "/account/password", SIGNED_IN),
    post("account.end", "/account/sessions/{session}/end", ADMIN),
    post("account.end_others", "/account/sessions/end-others", SIGNED_IN),
    post("account.everywhere", "/account/sign-out-everywhere", SIGNED_IN),
    post("account.new_token", "/account/tokens", SIGNED_IN),
    post("account.revoke", "/account/tokens/{token}/revoke", ADMIN),
    post("account.enrol", "/account/second-factor/enrol", SIGNED_IN),
    post("account.confirm", "/account/second-factor/confirm", SIGNED_IN),
    post("account.recovery_codes", "/account/second-factor/codes", SIGNED_IN),
    post("account.switch_off", "/account/second-factor/off", SIGNED_IN),
    get("members.page", "/ws/alpha/admin/members", MANAGERS),
    post("members.change", "/ws/alpha/admin/members", MANAGERS),
    get("frameworks.page", "/ws/alpha/admin/frameworks", MANAGERS),
    post("frameworks.seed", "/ws/alpha/admin/frameworks", MANAGERS),
    post("ingest.take", f"{API}/ingest/github", SENDER, json={"a": 1}),
    get("deliveries.each", f"{API}/deliveries/", KEEPERS | {"ingest_token"}),
    get("deliveries.one", f"{API}/deliveries/{{delivery}}", KEEPERS | {"ingest_token"}),
    get("deliveries.content", f"{API}/deliveries/{{delivery}}/content", KEEPERS),
    post("deliveries.replay", f"{API}/deliveries/{{delivery}}/replay", KEEPERS),
    get("desk.quarantine", f"{API}/quarantine/", KEEPERS),
    post("desk.replay", f"{API}/quarantine/{NONE}/replay", NOBODY),
    post("desk.drop", f"{API}/quarantine/{NONE}/drop", NOBODY),
    get("desk.mapping", f"{API}/mapping/", KEEPERS),
    MatrixCell("desk.map", "PUT", f"{API}/mapping/", KEEPERS, {"json": MEANING}),
    get("desk.record", f"{API}/records/incidents/INC-0001", KEEPERS),
    post("desk.correct", f"{API}/records/incidents/INC-0001", KEEPERS,
         json={"correct": {"severity": "p2"}}),
    get("desk_page.page", "/ws/alpha/records", KEEPERS),
    post("desk_page.act", "/ws/alpha/records", KEEPERS),
    get("delivery_page.page", "/ws/alpha/deliveries/{delivery}", KEEPERS),
    get("desk_page.record", "/ws/alpha/records/incidents/INC-0001", KEEPERS),
    post("desk_page.change", "/ws/alpha/records/incidents/INC-0001", KEEPERS),
    get("nights.page", "/platform/nights", PLATFORM),
    post("nights.take", "/platform/nights", PLATFORM),
    get("annotations.page", "/platform/annotations", KEEPERS | PLATFORM),
    post("annotations.write", "/platform/annotations", ADMIN, data={"action": "add"}),
    post("annotations.write", "/platform/annotations", KEEPERS,
         data={"workspace": "alpha", "action": "add"}),
    get("annotations_api.each", "/api/v1/platform/annotations/", KEEPERS | PLATFORM),
    get("sources_api.late", "/api/v1/platform/sources/late", SIGNED_IN | {"dashboard_token"}),
    # A body that is none is refused before the right to it is looked at.
    post("annotations_api.add", "/api/v1/platform/annotations/", SIGNED_IN, json={}),
    MatrixCell("annotations_api.edit", "PUT", f"/api/v1/platform/annotations/{NONE}", SIGNED_IN,
               {"json": {}}),
    MatrixCell("annotations_api.withdraw", "DELETE", f"/api/v1/platform/annotations/{NONE}", NOBODY,
               {"json": {"workspace": "alpha"}}),
    get("settings_api.each", "/api/v1/platform/settings/", MANAGERS | PLATFORM),
    # A body that is none is refused before the right to it is looked at.
    MatrixCell("settings_api.change", "PUT", "/api/v1/platform/settings/", SIGNED_IN, {"json": {}}),
    get("settings.page", "/admin/settings", MANAGERS | PLATFORM),
    get("settings.page", "/admin/settings?workspace=alpha", MANAGERS),
    post("settings.change", "/admin/settings", ADMIN),
    post("settings.change", "/admin/settings", MANAGERS, data={"workspace": "alpha"}),
    get("audit.page", "/platform/audit", PLATFORM),
    get("audit.csv", "/platform/audit.csv", PLATFORM),
    get("sources.page", "/platform/sources", KEEPERS | PLATFORM),
    get("sources.one", "/platform/sources/999", NOBODY),
    post("sources.act", "/platform/sources/999", NOBODY),
    get("sources.new", "/platform/sources/new", MANAGERS | PLATFORM),
    post("sources.create", "/platform/sources/new", MANAGERS | PLATFORM),
    get("digest.page", "/platform/signals/digest", PLATFORM),
    post("digest.add", "/platform/signals/digest", PLATFORM),
    post("digest.act", "/platform/signals/digest/999", NOBODY),
    get("digest.stop_page", "/digest/stop/none", NOBODY),
    post("digest.stop", "/digest/stop/none", NOBODY),
    get("signals.page", "/platform/signals", PLATFORM),
    get("signals.csv", "/platform/signals.csv", PLATFORM),
    post("signals.change", "/platform/signals", PLATFORM),
    get("api_signals.list", "/api/v1/platform/signals/", PLATFORM | {"dashboard_token"}),
    get("platform_metrics.read", "/api/v1/platform/metrics", PLATFORM | {"dashboard_token"}),
    get("sources_api.every", "/api/v1/platform/sources/", KEEPERS | PLATFORM),
    # A body that is none is refused before the right to it is looked at.
    post("sources_api.connect", "/api/v1/platform/sources/", SIGNED_IN, json={}),
    post("sources_api.preview", "/api/v1/platform/sources/preview", SIGNED_IN, json={}),
    get("sources_api.one", "/api/v1/platform/sources/999/", NOBODY),
    MatrixCell("sources_api.change", "PATCH", "/api/v1/platform/sources/999/", NOBODY, {"json": {}}),
    MatrixCell("sources_api.remove", "DELETE", "/api/v1/platform/sources/999/", NOBODY),
    post("sources_api.sync", "/api/v1/platform/sources/999/sync", NOBODY, json={}),
    get("first_run.join", "/first-run/account", NOBODY),
    post("first_run.create", "/first-run/account", NOBODY),
    get("first_run.page", "/first-run", PLATFORM),
    post("first_run.act", "/first-run", ADMIN),
    post("first_run.act", "/first-run", PLATFORM, data={"action": "figures"}),
    post("first_run.load", "/first-run/files", NOBODY),
)  # fmt: skip


@dataclass(frozen=True)
class Callback:
    """A callback, what it is asked with, and who is answered with figures or records; others get words."""

    output: str
    values: Mapping[str, Any]
    may: frozenset[str]
    sign: str


WIDE = {"path": "/ws/alpha/platform/executive", "period": "28", "domain": "dora", "mode": "cards",
        "measure": "change_failure_rate", "pins": ["alpha"], "from": 0}  # fmt: skip
OWN = {"path": "/ws/alpha/analytics", "period": "28"}
CALLBACKS = (
    Callback("..page.children...live.children..", {"view": WIDE}, PLATFORM, "Change failure rate"),
    Callback("expansion.children", {"focus": WIDE}, PLATFORM, "by workspace"),
    Callback("comparison.children", {"pins": WIDE}, PLATFORM, "response"),
    Callback("next.children", {"more": WIDE | {"from": 1}}, PLATFORM, "response"),
    Callback("..records.getRowsResponse...records-count.children...records-csv.href..",
             {"records": {"startRow": 0, "endRow": 50}, "records-view": OWN}, MEMBERS, "alpha-1"),
    Callback("live-figures.children", {"records-view": OWN}, MEMBERS, "response"),
    Callback("drawer.children", {"why": WIDE | {"why": "worst_change_failure_rate"}},
             PLATFORM, '"type"'),
)  # fmt: skip
