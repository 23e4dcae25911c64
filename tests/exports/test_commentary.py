"""Commentary on pages of the pack: whose it is, where it stands, and that a job keeps it."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from exports import schedule
from storage.chosen import commentary
from storage.chosen.commentary import RefusedCommentary
from tests.conftest import TODAY
from tests.webworld import WebWorld, csrf, make, settled


@pytest.fixture
def web(database, settings) -> WebWorld:
    """The small world."""
    return make(database, settings)


def exported(client) -> str:
    """Text of a pack that the person asks for now."""
    asked = client.post("/exports", json={"period": "7", "format": "pdf"}, headers=csrf(client))
    state = settled(client, asked)
    assert state.json["state"] == "ready", state.text
    file = client.get(state.json["href"]).data
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file)).pages)


def test_it_stands_on_its_page_with_author_and_day_until_it_is_taken_away(web):
    alice = web.sign_in("alice")
    form = {"pack": "0", "page": "dora", "text": "Failures are of the freeze; Łódź agrees."}
    assert alice.post("/exports/commentary", data=form, headers=csrf(alice)).status_code == 303
    assert "Failures are of the freeze" in alice.get("/exports").text
    pack = exported(alice)
    assert "Failures are of the freeze; Łódź agrees." in pack
    assert "alice@x.example" in pack
    alice.post("/exports/commentary", data=form | {"text": " "}, headers=csrf(alice))
    assert "Failures are of the freeze" not in exported(alice)


def test_the_cover_takes_one_too(web):
    alice = web.sign_in("alice")
    form = {"pack": "0", "page": "cover", "text": "A quarter of two halves."}
    assert alice.post("/exports/commentary", data=form, headers=csrf(alice)).status_code == 303
    assert 'Take away<span class="vh"> the comment on Cover' in alice.get("/exports").text
    cover = exported(alice).partition("Needs attention")[0]
    assert "A quarter of two halves." in exported(alice)
    assert "Executive dashboard" in cover


def test_a_note_of_a_workspace_stands_in_the_pack(web):
    alice = web.sign_in("alice")
    note = {"action": "add", "text": "Migration", "workspace": "beta", "first_day": "2026-11-20"}
    assert alice.post("/platform/annotations", data=note, headers=csrf(alice)).status_code == 302
    assert "Beta: Migration" in exported(alice)


def test_a_scheduled_pack_has_its_own(web):
    alice, engine = web.people["alice"], web.world.database.job
    now = web.world.settings.now()
    schedule.subscribe(engine, alice, alice.email, "weekly", "pdf", now)
    (pack,) = schedule.subscriptions_of(engine, alice)
    commentary.write(engine, alice, pack.id, "dora", "Each week")
    commentary.write(engine, alice, commentary.OWN, "dora", "By hand")
    with engine.begin() as connection:
        connection.execute(text("update pack_subscription set last_end = '2026-11-01'"))
    assert schedule.queue_due(web.world.database, web.world.settings) == 1
    with engine.connect() as connection:
        params = connection.execute(text("select params from export_job")).scalar_one()
        details = connection.execute(
            text("select details from audit_event where action = 'export.request'")
        ).scalar_one()
    assert params["commentary"]["dora"]["text"] == "Each week"
    assert params["commentary"]["dora"]["by"] == alice.email
    assert "commentary" not in details
    assert TODAY.year == 2026


def test_nobody_writes_into_the_pack_of_another(web):
    engine, alice, bob = web.world.database.job, web.people["alice"], web.people["bob"]
    schedule.subscribe(engine, alice, alice.email, "weekly", "pdf", web.world.settings.now())
    (pack,) = schedule.subscriptions_of(engine, alice)
    with pytest.raises(RefusedCommentary):
        commentary.write(engine, bob, pack.id, "dora", "x")
    for page, words in (("nothing", "x"), ("dora", "x" * 601), ("dora", "a\u202eb")):
        with pytest.raises(RefusedCommentary):
            commentary.write(engine, alice, commentary.OWN, page, words)
    assert commentary.written_by(engine, bob) == []
