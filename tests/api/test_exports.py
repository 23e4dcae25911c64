"""The board pack over HTTP: made for its owner, fetched by its owner, noted each time."""

from __future__ import annotations

import hashlib
import io
import itertools

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from exports import jobs
from tests.webworld import API, csrf


def export(client, **body):
    """Presses the button."""
    return client.post("/exports", json=body, headers=csrf(client))


def actions(web) -> list[str]:
    with web.world.database.job.connect() as connection:
        return list(
            connection.execute(text("select action from audit_event order by id")).scalars()
        )


def test_the_pack_is_made_and_fetched_by_its_owner(web):
    alice = web.sign_in("alice")
    made = export(alice, period="28")
    assert made.status_code == 201
    assert made.json["filename"] == "vigilo-executive-20261123.pdf"
    file = alice.get(made.json["href"])
    assert file.data[:5] == b"%PDF-"
    assert (
        file.headers["Content-Disposition"]
        == 'attachment; filename="vigilo-executive-20261123.pdf"'
    )
    assert file.headers["Cache-Control"] == "no-store"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert actions(web) == ["export.request", "export.render", "export.download"]


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
        said = jobs.trace(connection, data, None)
        assert "by alice@x.example" in said
        assert "unaltered" in said
        altered = jobs.trace(connection, data + b"\n", made["id"])
        assert "altered since" in altered
        assert jobs.trace(connection, b"%PDF-nothing", "not-an-id") is None


def test_the_audit_log_is_chained(web):
    alice = web.sign_in("alice")
    export(alice)
    with web.world.database.job.connect() as connection:
        rows = connection.execute(text("select prev_hash, hash from audit_event order by id")).all()
    assert rows[0].prev_hash is None
    assert all(bytes(b.prev_hash) == bytes(a.hash) for a, b in itertools.pairwise(rows))
    assert all(len(bytes(r.hash)) == hashlib.sha256().digest_size for r in rows)
