"""The API: its contract, its errors, its caching; the same figures as the page."""

from __future__ import annotations

import gzip
import json
import math

import pytest
from sqlalchemy import create_engine, text

from aggregators.catalogue import DOMAINS
from app import create_app
from auth import tokens
from reading.encode import FULL_UP_TO, dashboard_json, number, shown_measures
from storage.database import Database
from tests import samples
from tests.webworld import API, DAY, EXECUTIVE
from web.services import Services

FIGURE = {"value", "previous", "delta", "delta_unit", "unit", "better", "status", "low_sample", "evidence",
          "series"}  # fmt: skip


def walk(value):
    """Every number and text in a JSON value."""
    if isinstance(value, dict):
        for v in value.values():
            yield from walk(v)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from walk(v)
    else:
        yield value


@pytest.fixture
def alice(web):
    return web.sign_in("alice")


def test_the_shape_of_the_contract(alice):
    found = alice.get(API).json
    assert set(found) >= {
        "organisation",
        "time_zone",
        "as_of",
        "snapshot_at",
        "period",
        "scope",
        "answers",
        "domains",
    }
    assert found["as_of"] == str(DAY)
    assert found["snapshot_at"].endswith("Z")
    assert found["period"]["preset"] == 28
    assert found["period"]["previous"]["end"] < found["period"]["start"]
    assert [d["key"] for d in found["domains"]] == [d.key for d in DOMAINS]
    assert len(found["answers"]) == 4
    for domain, declared in zip(found["domains"], DOMAINS, strict=True):
        assert domain["headline"] == declared.headline
        assert set(domain["measures"]) == {m.key for m in declared.measures}
        assert [w["rank"] for w in domain["workspaces"]] == [1, 2]
        for figure in (*domain["measures"].values(), *domain["workspaces"][0]["measures"].values()):
            assert set(figure) >= FIGURE
            assert set(figure["evidence"]) >= {
                "numerator",
                "denominator",
                "days_seen",
                "days_expected",
            }
            assert len(figure["series"]) <= 60


def test_the_figures_are_right(alice):
    dora = alice.get(API + "?domain=dora").json["domains"][0]
    rate = dora["measures"]["change_failure_rate"]
    assert rate["value"] == pytest.approx(14 / 56)
    assert (rate["evidence"]["numerator"], rate["evidence"]["denominator"]) == (14, 56)
    assert dora["measures"]["lead_time_for_changes"]["value"] == pytest.approx(3600, rel=0.02)
    assert {w["slug"] for w in dora["workspaces"]} == {"alpha", "beta"}
    assert dora["workspaces"][0]["href"].endswith("/analytics?period=28")


def test_a_range_domains_and_no_breakdown(alice):
    found = alice.get(
        API + f"?start=2026-11-01&end={DAY}&domain=slos&domain=dora&workspaces=0"
    ).json
    assert [d["key"] for d in found["domains"]] == ["dora", "slos"]
    assert all("workspaces" not in d for d in found["domains"])
    assert (found["period"]["preset"], found["period"]["days"]) == (None, 22)


def test_missing_is_null_never_zero_nor_nan(alice):
    body = alice.get(API).text
    assert "NaN" not in body
    assert "Infinity" not in body
    slos = next(d for d in json.loads(body)["domains"] if d["key"] == "slos")
    assert slos["measures"]["objectives_in_budget"]["value"] is None
    assert slos["measures"]["objectives_in_budget"]["status"] == "no_data"


def test_encoding_is_finite_for_any_dashboard():
    for value in walk(dashboard_json(samples.dashboard(5))):
        assert not isinstance(value, float) or math.isfinite(value)
    assert number(math.nan) is None
    assert number(math.inf) is None
    assert number(12.0) == 12
    assert isinstance(number(12.0), int)


WRONG = [
    ("period=12", "period"),
    ("period=NaN", "period"),
    ("period=-7", "period"),
    ("period=", "period"),
    ("period=1e400", "period"),
    ("period=7&period=28", "period"),
    ("period=28&start=2026-01-01&end=2026-01-02", "period"),
    ("start=2026-01-01", "end"),
    ("end=2026-01-01", "start"),
    ("start=2026-02-30&end=2026-03-01", "start"),
    ("start=2026-03-02&end=2026-03-01", "end"),
    ("start=2024-01-01&end=2026-03-01", "end"),
    ("start=2026-11-01&end=2027-01-01", "end"),
    ("start=1999-01-01&end=1999-01-02", "start"),
    ("start=Infinity&end=2026-01-01", "start"),
    ("domain=sales", "domain"),
    ("domain=", "domain"),
    ("workspaces=2", "workspaces"),
    ("sort=asc", "sort"),
    ("detail=", "detail"),
    ("detail=all", "detail"),
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=1e3", "limit"),
    ("limit=９", "limit"),
    ("limit=5000000", "limit"),
    ("offset=x", "offset"),
]


def test_a_wrong_parameter_is_named(alice):
    for query, field in WRONG:
        answer = alice.get(f"{API}?{query}")
        assert answer.status_code == 422, query
        assert answer.content_type == "application/problem+json", query
        assert (answer.json["code"], answer.json["field"]) == ("invalid_parameter", field), query
        assert answer.json["detail"].startswith(field), query


def test_366_days_are_allowed_and_not_one_more(alice):
    assert alice.get(API + "?start=2025-11-22&end=2026-11-22").status_code == 200
    assert alice.get(API + "?start=2025-11-21&end=2026-11-22").status_code == 422


def test_it_requires_sign_in_and_platform_admin(web):
    answer = web.browser().get(API)
    assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    for who in ("bob", "dave", "revoked"):
        answer = web.sign_in(who).get(API)
        assert (answer.status_code, answer.json["code"]) == (403, "platform_admin_required"), who


def test_a_token_opens_it_until_it_is_revoked(web):
    job = web.world.database.job
    token = tokens.create(job, "alice@x.example")
    bearer = {"Authorization": f"Bearer {token}"}
    assert web.browser().get(API, headers=bearer).status_code == 200
    with job.connect() as connection:
        stored = connection.execute(text("select token_hash from api_token")).scalar_one()
    assert token.encode() not in bytes(stored)
    for change in (
        "revoked_at = now()",
        "revoked_at = null, expires_at = now()",
        "expires_at = null, scopes = '{}'",
    ):
        with job.begin() as connection:
            connection.execute(text(f"update api_token set {change}"))
        assert web.browser().get(API, headers=bearer).status_code == 401
    for wrong in ("Bearer nonsense", "Bearer vgl_" + "x" * 43, "Basic YTpi", "Bearer "):
        assert web.browser().get(API, headers={"Authorization": wrong}).status_code == 401


def test_a_token_is_in_no_session(web):
    """A program that asks every minute leaves no row and is given no cookie."""
    job = web.world.database.job
    bearer = {"Authorization": f"Bearer {tokens.create(job, 'alice@x.example')}"}
    for path in (API, "/api/openapi.json"):
        answer = web.browser().get(path, headers=bearer)
        assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (200, [])
    with job.connect() as connection:
        assert connection.execute(text("select count(*) from web_session")).scalar_one() == 0


def test_a_token_of_somebody_without_the_role_is_refused(web):
    token = tokens.create(web.world.database.job, "bob@x.example")
    answer = web.browser().get(API, headers={"Authorization": f"Bearer {token}"})
    assert answer.json["code"] == "platform_admin_required"


def test_nothing_new_is_304_and_a_new_snapshot_is_not(web, alice):
    first = alice.get(API)
    assert first.headers["Cache-Control"].startswith("private")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = alice.get(API, headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert alice.get(API + "?period=7", headers=tag).status_code == 200
    web.world.backfill(DAY, DAY)
    assert alice.get(API, headers=tag).status_code == 200


def test_304_is_answered_without_reading_a_row(alice, monkeypatch):
    tag = {"If-None-Match": alice.get(API).headers["ETag"]}
    monkeypatch.setattr(
        "storage.executive.encoded_rows.scoped_rows", lambda *_: pytest.fail("rows were read")
    )
    assert alice.get(API, headers=tag).status_code == 304


def test_the_breakdown_is_paged_worst_first(alice):
    whole = alice.get(API).json["domains"]
    for offset in (0, 1, 2):
        page = alice.get(API + f"?limit=1&offset={offset}").json["domains"]
        for domain, all_of_it in zip(page, whole, strict=True):
            assert domain["workspaces"] == all_of_it["workspaces"][offset : offset + 1]
            assert domain["measures"] == all_of_it["measures"]
    assert alice.get(API + "?offset=1").json["domains"][0]["workspaces"][0]["rank"] == 2


def test_brief_leaves_out_what_no_card_shows_and_every_series(alice):
    full, brief = (alice.get(API + f"?detail={how}").json["domains"] for how in ("full", "brief"))
    assert full == alice.get(API).json["domains"]
    for domain, short, all_of_it in zip(DOMAINS, brief, full, strict=True):
        assert short["measures"] == all_of_it["measures"]
        for some, card in zip(short["workspaces"], all_of_it["workspaces"], strict=True):
            assert set(some["measures"]) == set(shown_measures(domain))
            for key, figure in some["measures"].items():
                assert figure["series"] == []
                assert without_series(figure) == without_series(card["measures"][key])


def without_series(figure: dict) -> dict:
    by = {group: without_series(f) for group, f in figure.get("by", {}).items()}
    rest = {name: value for name, value in figure.items() if name != "expected"}
    return {**rest, "series": [], **({"by": by} if by else {})}


def test_a_breakdown_of_many_is_brief_by_itself():
    large, small = samples.dashboard(FULL_UP_TO + 1), samples.dashboard(FULL_UP_TO)
    for dashboard, full in ((large, False), (small, True)):
        card = dashboard_json(dashboard)["domains"][0]["workspaces"][0]
        assert bool(card["measures"]["change_failure_rate"]["series"]) is full
    page = dashboard_json(large, ranks=slice(0, 24))["domains"][0]["workspaces"]
    assert len(page) == 24
    assert page[0]["measures"]["change_failure_rate"]["series"]


def test_a_revoked_workspace_is_gone_from_the_next_answer(web, alice):
    tag = {"If-None-Match": alice.get(API).headers["ETag"]}
    web.world.revoke(web.people["alice"], web.world.beta)
    after = alice.get(API, headers=tag)
    assert after.status_code == 200
    assert after.json["scope"]["workspaces"] == 1


def test_it_is_compressed(alice):
    answer = alice.get(API, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.data))["as_of"] == str(DAY)


def test_other_errors_are_problems_too(web, alice):
    for answer, status, code in (
        (alice.get("/api/v1/nothing"), 404, "not_found"),
        (alice.post(API, headers={"X-CSRFToken": "x"}), 405, "method_not_allowed"),
        (web.browser().get("/api/v1/nothing"), 401, "not_authenticated"),
    ):
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert answer.content_type == "application/problem+json"
        assert answer.json["request_id"]


def test_a_database_that_is_away_is_503_within_three_seconds(web, settings):
    away = create_engine(
        "postgresql+psycopg2://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 2}
    )
    app = create_app(settings, Database(away, away, None, web.world.database.roles))
    answer = app.test_client().get(API, headers={"Authorization": "Bearer vgl_" + "x" * 43})
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert "127.0.0.1" not in answer.text
    signed_in = app.test_client()
    signed_in.set_cookie("vigilo", "some session")
    assert signed_in.get(API).json["code"] == "database_unavailable"
    page = signed_in.get(EXECUTIVE)
    assert page.status_code == 503
    assert (
        "The database does not answer, or has no connection left. Nothing is lost. Try" in page.text
    )
    assert app.test_client().get("/readyz").status_code == 503


def test_an_unexpected_error_shows_nothing_of_the_inside(web, alice, monkeypatch):
    def broken(*_args):
        raise RuntimeError("select secret from /etc/passwd")

    monkeypatch.setattr(Services, "read", broken)
    answer = alice.get(API)
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_the_document_describes_every_measure_and_every_answer_fits_it(alice):
    document = alice.get("/api/openapi.json").json
    schemas = document["components"]["schemas"]
    for domain in DOMAINS:
        assert set(schemas[f"{domain.key.capitalize()}Measures"]["properties"]) == {
            m.key for m in domain.measures
        }
    found = alice.get(API).json
    assert set(schemas["Dashboard"]["properties"]) == set(found)
    figure = found["domains"][3]["measures"]["pass_rate"]
    assert set(figure) <= set(schemas["Figure"]["properties"])
    assert "change_failure_rate" in alice.get("/api/docs").text


def test_the_order_is_named_and_can_be_by_contribution(alice):
    for order in ("value", "contribution"):
        answer = alice.get(API, query_string={"rank": order, "period": "28"}).json
        for domain in answer["domains"]:
            by = domain["order"]["by"]
            assert by in ("value", order)
            told = [w["rank_value"] for w in domain["workspaces"]]
            assert [w["rank"] for w in domain["workspaces"]] == list(range(1, len(told) + 1))
            if by == "contribution":
                delta = domain["measures"][domain["headline"]]["delta"]
                assert sum(part or 0.0 for part in told) == pytest.approx(delta)
    assert alice.get(API, query_string={"rank": "luck"}).status_code == 422
