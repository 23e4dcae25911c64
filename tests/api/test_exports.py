"""The board pack over HTTP: made for its owner, fetched by its owner, noted each time."""

from __future__ import annotations

import io
import re
import time

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from exports import downloads, queue
from exports.runner import Runner
from exports.worker import ExportContext
from storage.audit import chain
from tests.webworld import API, csrf, settled


def export(client, **body):
    """Presses the button, and waits for what comes of it."""
    made = client.post("/exports", json=body, headers=csrf(client))
    return settled(client, made) if made.status_code < 300 else made


def actions(web) -> list[str]:
    with web.world.database.job.connect() as connection:
        return list(
            connection.execute(text("select action from audit_event order by id")).scalars()
        )


def test_the_pack_is_made_and_fetched_by_its_owner(web):
    alice = web.sign_in("alice")
    made = export(alice, period="28")
    assert made.json["filename"] == "vigilo-executive-20261123.pdf"
    file = alice.get(made.json["href"])
    assert file.data[:5] == b"%PDF-"
    assert (
        file.headers["Content-Disposition"]
        == 'attachment; filename="vigilo-executive-20261123.pdf"'
    )
    assert file.headers["Cache-Control"] == "no-store"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    told = [action for action in actions(web) if action.startswith("export.")]
    assert told == ["export.request", "export.render", "export.download"]


def test_its_figures_are_those_of_the_api(web):
    alice = web.sign_in("alice")
    rate = alice.get(API).json["domains"][0]["measures"]["change_failure_rate"]["value"]
    pack = PdfReader(io.BytesIO(alice.get(export(alice).json["href"]).data))
    words = " ".join(pack.pages[1].extract_text().split())
    assert f"{rate * 100:.1f} %" in words
    for page in pack.pages:
        assert "alice@x.example" in page.extract_text()


def test_nobody_else_gets_a_byte(web):
    made = export(web.sign_in("alice"), period="7").json["href"]
    assert web.browser().get(made).status_code == 401
    for who in ("bob", "dave", "revoked"):
        answer = web.sign_in(who).get(made)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), who
    assert actions(web).count("export.deny") == 3


def test_an_owner_who_lost_a_workspace_is_refused(web):
    alice = web.sign_in("alice")
    made = export(alice).json["href"]
    web.world.revoke(web.people["alice"], web.world.beta)
    assert alice.get(made).json["code"] == "platform_admin_required"
    web.world.revoke(web.people["alice"], web.world.alpha)
    assert alice.get(made).status_code == 403


def test_an_expired_or_guessed_export_is_not_found(web):
    alice = web.sign_in("alice")
    made = export(alice).json["href"]
    with web.world.database.job.begin() as connection:
        connection.execute(text("update export_job set expires_at = now()"))
    assert alice.get(made).status_code == 404
    assert alice.get("/exports/" + "0" * 8 + "-0000-0000-0000-" + "0" * 12).status_code == 404
    assert alice.get("/exports/../../etc/passwd").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"period": "12"}, 422, "period"),
        ({"start": "2026-11-02", "end": "2026-11-01"}, 422, "end"),
        ({"period": {"a": 1}}, 422, "period"),
        ({"format": "exe"}, 422, "format"),
        ([1], 400, None),
    ],
)
def test_a_wrong_request_is_named(web, body, status, field):
    alice = web.sign_in("alice")
    answer = alice.post("/exports", json=body, headers=csrf(alice))
    assert (answer.status_code, answer.json.get("field")) == (status, field)


def test_it_requires_platform_admin(web):
    bob = web.sign_in("bob")
    assert export(bob).json["code"] == "platform_admin_required"


def test_a_leaked_file_says_who_exported_it_and_whether_it_was_altered(web):
    alice = web.sign_in("alice")
    made = export(alice).json
    data = alice.get(made["href"]).data
    with web.world.database.job.connect() as connection:
        said = downloads.trace(connection, data, None)
        assert "by alice@x.example" in said
        assert "unaltered" in said
        altered = downloads.trace(connection, data + b"\n", made["id"])
        assert "altered since" in altered
        assert downloads.trace(connection, b"%PDF-nothing", "not-an-id") is None


def test_the_audit_log_is_chained(web):
    alice = web.sign_in("alice")
    export(alice)
    with web.world.database.job.connect() as connection:
        actions = connection.execute(text("select action from audit_event order by id")).scalars()
        assert "export.request" in set(actions)
        assert chain.link(connection)
        assert list(chain.breaches(connection, ("x" * 32,))) == []


def form(client, path, **fields):
    """Sends a form of the page."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/exports").text)[1]
    return client.post(path, data={"csrf_token": token, **fields}, follow_redirects=True)


def field(page: str, name: str) -> dict[str, str]:
    """Attributes of an input of the page."""
    tag = re.search(rf'<input [^>]*name="{name}"[^>]*>', page)[0]
    return dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))


def done(client, href):
    """The state of a job when it has ended."""
    for _ in range(200):
        state = client.get(f"{href}/state").json
        if state["state"] not in ("queued", "running"):
            return state
        time.sleep(0.05)
    raise AssertionError(state)


def test_who_does_not_want_to_wait_gets_the_job_and_asks_how_far_it_is(web):
    alice = web.sign_in("alice")
    headers = csrf(alice) | {"Prefer": "respond-async"}
    answer = alice.post("/exports", json={"period": "7"}, headers=headers)
    assert answer.status_code == 202
    assert answer.json["state"] in ("queued", "running")
    assert answer.headers["Location"] == f"{answer.json['href']}/state"
    state = done(alice, answer.json["href"])
    assert (state["state"], state["progress"]) == ("ready", state["steps"])
    assert state["steps"] > 2
    assert alice.get(state["href"]).data[:5] == b"%PDF-"


def test_the_page_lists_ones_own_exports_and_acts_on_them(web):
    alice = web.sign_in("alice")
    assert "not exported anything yet" in alice.get("/exports").text
    form(alice, "/exports", period="90", format="xlsx")
    href = re.search(r"/exports/([0-9a-f-]{36})", alice.get("/exports").text)[0]
    done(alice, href)
    page = alice.get("/exports").text
    assert "XLSX" in page
    assert "Ready" in page
    assert alice.get(href).headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert "XLSX" in form(alice, f"{href}/again").text
    page = form(alice, f"{href}/delete").text
    assert "File removed" in page
    assert alice.get(href).status_code == 404
    assert "export.delete" in actions(web)


@pytest.mark.parametrize("who", ["bob", "dave", "revoked"])
def test_nobody_else_sees_or_touches_a_job(web, who):
    href = export(web.sign_in("alice"), period="7").json["href"]
    other = web.sign_in(who)
    assert other.get(f"{href}/state").status_code == 404
    assert href not in other.get("/exports").text
    for action in ("cancel", "delete", "again"):
        answer = other.post(f"{href}/{action}", headers=csrf(other))
        assert answer.status_code == 404
    assert web.sign_in("alice").get(href).status_code == 200


def test_a_form_without_its_token_changes_nothing(web):
    alice = web.sign_in("alice")
    href = export(alice, period="7").json["href"]
    assert alice.post(f"{href}/delete").status_code == 403
    assert alice.get(href).status_code == 200


def test_the_mailed_link_leads_through_sign_in_and_shows_pages_not_json(web):
    alice = web.sign_in("alice")
    href = export(alice, period="7").json["href"]
    html = {"Accept": "text/html,application/xhtml+xml"}
    asked = web.browser().get(href, headers=html)
    assert (asked.status_code, asked.location) == (302, f"/login?next={href}")
    page = web.sign_in("bob").get(href, headers=html)
    assert page.status_code == 404
    assert "There is no such page" in page.text


def test_too_many_at_once_is_said(web, monkeypatch):
    monkeypatch.setattr(queue, "OPEN_A_USER", 0)
    answer = export(web.sign_in("alice"), period="7")
    assert answer.status_code == 429
    assert "under way already" in answer.json["detail"]


def test_a_job_that_no_process_remembers_is_made_by_the_next_one(web, settings):
    """A web process died after it took the job: the keeper of another finds it."""
    alice = web.people["alice"]
    id = queue.request(web.world.database.job, alice, {"period": "7"}, "pdf", ["alpha"])
    runner = Runner(lambda: ExportContext(web.world.database, settings))
    runner.keep()
    assert done(web.sign_in("alice"), f"/exports/{id}")["state"] == "ready"
    runner.stop()


def test_days_are_asked_for_on_the_page(web):
    """Dates go before the list, which always has something chosen."""
    page = form(
        web.sign_in("alice"),
        "/exports",
        period="28",
        start="2026-11-02",
        end="2026-11-08",
        format="csv",
    )
    (row,) = re.findall(r"<tr>(?:(?!</tr>).)*Figures.*?</tr>", page.text, re.DOTALL)
    words = re.sub(r"<[^>]+>", "", row)
    assert "2 Nov – 8 Nov 2026" in words
    assert "CSV" in words


def test_wrong_days_are_said_beside_what_was_typed(web):
    alice = web.sign_in("alice")
    asked = {"period": "28", "start": "2026-11-08", "end": "2026-11-02", "format": "xlsx"}
    page = form(alice, "/exports", **asked).text
    assert 'id="end-error" role="alert">The end must not be before the start.</span>' in page
    assert field(page, "end")["aria-describedby"] == "end-error"
    assert "aria-invalid" not in field(page, "start")
    assert 'class="note x"' not in page
    assert field(page, "start")["value"] == "2026-11-08"
    assert '<option selected value="xlsx">' in page
    assert "You have not exported anything yet" in page
    assert 'role="alert"' not in alice.get("/exports").text


def test_a_refused_recipient_is_still_there_to_be_mended(web):
    page = form(
        web.sign_in("alice"),
        "/exports/schedule",
        email="no@x.example",
        cadence="quarterly",
        format="csv",
    ).text
    assert field(page, "email")["value"] == "no@x.example"
    assert field(page, "email")["aria-describedby"] == "email-error"
    assert 'id="email-error" role="alert">No member of your workspaces' in page
    assert '<option selected value="quarterly">' in page


def test_a_platform_admin_schedules_packs_on_the_page(web):
    alice = web.sign_in("alice")
    page = form(
        alice, "/exports/schedule", email="alice@x.example", cadence="monthly", format="pdf"
    )
    assert "Monthly" in page.text
    page = form(alice, "/exports/schedule", email="no@x.example", cadence="monthly", format="pdf")
    stranger = form(
        alice, "/exports/schedule", email="dave@x.example", cadence="monthly", format="pdf"
    )
    for refused in (page, stranger):
        assert "No member of your workspaces has that address." in refused.text
    number = re.search(r"/exports/schedule/(\d+)/remove", alice.get("/exports").text)[1]
    bob = web.sign_in("bob")
    assert bob.post(f"/exports/schedule/{number}/remove", headers=csrf(bob)).status_code == 404
    refused = bob.post(
        "/exports/schedule",
        data={"email": "bob@x.example", "cadence": "weekly", "format": "pdf"},
        headers=csrf(bob),
    )
    assert refused.json["code"] == "platform_admin_required"
    assert (
        "Monthly" not in form(alice, f"/exports/schedule/{number}/remove").text.split("</form>")[0]
    )
    assert f"/exports/schedule/{number}/" not in alice.get("/exports").text
