"""Invitations: a link by mail that is good once; nobody learns from them who has an account."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from auth import accounts
from auth.joining import invitations
from auth.joining.invitations import AN_ADDRESS, InvitationEnded
from exports import mail
from storage.context import job_in
from tests.conftest import superuser
from tests.exports.work.postbox import Postbox
from tests.exports.work.test_killed_workers import free_port
from tests.webworld import PASSWORD, WebWorld, csrf
from web.people.inviting import Inviting

MEMBERS = "/ws/alpha/admin/members"
PAGE = "/ws/alpha/analytics"


@pytest.fixture
def postbox(web) -> Iterator[Postbox]:
    """A mail server that the installation's mails go to."""
    box, port = Postbox(), free_port()
    web.world.settings = web.world.settings.model_copy(
        update={"smtp_url": f"smtp://127.0.0.1:{port}"}
    )
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box
    server.stop()


def sends(client: FlaskClient, action: str, email: str, role: str = "viewer") -> str:
    """A form of the members page; what the page says after it."""
    form = {"action": action, "email": email, "role": role}
    answer = client.post(MEMBERS, data=form, headers=csrf(client), follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def mailed(web: WebWorld, postbox: Postbox) -> EmailMessage:
    """The newest mail, sent."""
    mail.deliver(web.world.database.job, web.world.settings)
    return postbox.mails[-1]


def link_in(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return urlsplit(part.get_content().split()[-1]).path


def link_of(web: WebWorld, email: str, role: str = "viewer", who: str = "bob") -> str:
    """A link that a manager's invitation gives, without the mail."""
    jobs, asker = web.world.database.job, (web.people[who].user_id, f"{who}@x.example")
    door = Inviting(jobs, web.world.settings, (web.world.alpha, "alpha"), asker)
    return urlsplit(door.link(email, role)).path


def joins(client: FlaskClient, link: str, **form: str) -> TestResponse:
    """Opens a link and sends the form of its page."""
    page = client.get(link)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    return client.post(link, data={"csrf_token": token[1] if token else "", **form})


def role(web: WebWorld, email: str) -> str | None:
    with job_in(web.world.database.job, web.world.alpha) as connection:
        query = text(
            "select role from membership join app_user u on u.id = user_id"
            " where email = :e and revoked_at is null"
        )
        return connection.execute(query, {"e": email}).scalar()


def test_from_the_form_by_mail_into_the_workspace(web, postbox):
    bob, new = web.sign_in("bob"), web.browser()
    assert "new@x.example is invited" in sends(bob, "add", " New@x.example", "engineer")
    assert "new@x.example" in bob.get(MEMBERS).text
    message = mailed(web, postbox)
    assert message["To"] == "new@x.example"
    assert "bob@x.example invites you" in message.get_body(("html",)).get_content()
    link = link_in(message)
    page = new.get(link)
    assert page.status_code == 200
    assert "engineer" in page.text
    assert role(web, "new@x.example") is None, "a mail program opens links"
    assert joins(new, link, name="N. Ew", password="short").status_code == 422
    assert joins(new, link, name="N. Ew", password=PASSWORD).location == PAGE
    assert new.get(PAGE).status_code == 200
    assert role(web, "new@x.example") == "engineer"
    assert web.browser().get(link).status_code == 404, "good once"
    assert "new@x.example" not in bob.get(MEMBERS).text.split("Add a member")[1]
    assert web.sign_in("new").get(PAGE).status_code == 200
    with superuser(web.world.database).connect() as connection:
        told = connection.execute(
            text("select action, actor from audit_event where subject = 'alpha' order by id")
        ).all()
        kept = connection.execute(text("select text || html from mail_outbox")).scalars().all()
    assert [tuple(event) for event in told] == [
        ("invitation.send", "bob@x.example"),
        ("member.grant", "bob@x.example"),
        ("invitation.accept", "new@x.example"),
    ]
    assert kept == [""], "a link that was sent lies nowhere"


def test_nobody_is_told_whether_an_address_has_an_account(web, postbox):
    """Dave has one, and shares no workspace with Bob; the mails too are alike but for names and links."""
    bob, answers, mails = web.sign_in("bob"), [], []
    for name in ("dave", "fred"):
        page = sends(bob, "add", f"{name}@x.example")
        answers.append(re.sub(r'value="[^"]{40,}"', "", page.replace(name, "NAME")))
        message = mailed(web, postbox).get_body(("plain",)).get_content()
        mails.append(message.replace(name, "NAME").replace(link_in(postbox.mails[-1]), ""))
        sends(bob, "withdraw", f"{name}@x.example")
    assert answers[0] == answers[1]
    assert mails[0] == mails[1]
    assert role(web, "dave@x.example") is None


def test_somebody_with_an_account_signs_in_and_accepts(web):
    link, browser = link_of(web, "dave@x.example"), web.browser()
    page = browser.get(link)
    assert f"/login?next={link}" in page.text
    assert 'type="password"' not in page.text
    assert joins(browser, link, name="D", password="another password").status_code == 422
    assert web.attempt(browser, "dave@x.example", PASSWORD, next=link).location == link
    assert joins(browser, link).location == PAGE
    assert browser.get(PAGE).status_code == 200


def test_a_link_serves_nobody_but_whom_it_was_sent_to(web):
    link, eve = link_of(web, "new@x.example", "admin"), web.sign_in("dave")
    assert "signed in as dave@x.example" in eve.get(link).text
    assert joins(eve, link).status_code == 422
    assert role(web, "dave@x.example") is None
    jobs, token = web.world.database.job, link.removeprefix("/invitation/")
    dave = accounts.by_email(jobs, "dave@x.example")
    with pytest.raises(InvitationEnded):
        invitations.accept(jobs, token, dave)


def withdrawn(web: WebWorld, _link: str) -> None:
    sends(web.sign_in("bob"), "withdraw", "new@x.example")


def sent_again(web: WebWorld, _link: str) -> None:
    assert "is invited" in sends(web.sign_in("bob"), "resend", "new@x.example")


def expired(web: WebWorld, _link: str) -> None:
    with superuser(web.world.database).begin() as connection:
        connection.execute(text("update invitation set expires_at = now()"))


def workspace_closed(web: WebWorld, _link: str) -> None:
    with superuser(web.world.database).begin() as connection:
        connection.execute(text("update workspace set is_active = false where slug = 'alpha'"))


@pytest.mark.parametrize("end", [withdrawn, sent_again, expired, workspace_closed])
def test_what_has_ended_opens_nothing(web, end):
    link = link_of(web, "new@x.example")
    end(web, link)
    browser = web.browser()
    assert browser.get(link).status_code == 404
    assert joins(browser, link, password=PASSWORD).status_code == 404
    assert accounts.by_email(web.world.database.job, "new@x.example") is None


@pytest.mark.parametrize("after", ["viewer", None])
def test_an_invitation_is_as_good_as_whoever_sent_it(web, after):
    jobs, link = web.world.database.job, link_of(web, "new@x.example", who="admin")
    if after:
        accounts.grant(jobs, "admin@x.example", "alpha", after)
    else:
        accounts.set_active(jobs, "admin@x.example", is_active=False)
    assert joins(web.browser(), link, password=PASSWORD).status_code == 404
    assert accounts.by_email(jobs, "new@x.example") is None, "all of it or nothing"


def test_nobody_invites_above_their_own_role_nor_withdraws_there(web):
    admin = web.sign_in("admin")
    assert "is not enough for owner" in sends(admin, "add", "new@x.example", "owner")
    link = link_of(web, "new@x.example", "owner")
    for action in ("resend", "withdraw"):
        assert "is not enough for owner" in sends(admin, action, "new@x.example")
    assert web.browser().get(link).status_code == 200
    assert "There is no open invitation" in sends(admin, "resend", "else@x.example")


def test_a_member_by_other_ways_keeps_what_they_have_and_the_link_ends(web):
    jobs, link = web.world.database.job, link_of(web, "dave@x.example")
    accounts.grant(jobs, "dave@x.example", "alpha", "admin")
    assert web.browser().get(link).status_code == 404
    assert role(web, "dave@x.example") == "admin"


def test_one_address_gets_few_mails_a_day(web):
    bob = web.sign_in("bob")
    for _ in range(AN_ADDRESS):
        assert "is invited" in sends(bob, "add", "new@x.example")
    assert "Too many invitations" in sends(bob, "add", "new@x.example")
    assert "is invited" in sends(bob, "add", "other@x.example")


@pytest.mark.parametrize(
    "address", ["", "x", "a@b", "a,b@x.example", "a@x.example,b@x.example", "<a@x.example>"]
)
def test_an_address_is_one_address(web, address):
    assert "is invited" not in sends(web.sign_in("bob"), "add", address)
    with superuser(web.world.database).connect() as connection:
        assert connection.execute(text("select count(*) from mail_outbox")).scalar() == 0


def test_guesses_are_bounded_and_keep_nobody_from_signing_in(web):
    link, browser = link_of(web, "new@x.example"), web.browser()
    wrong = link[:-6] + "AAAAAA"
    elsewhere = re.sub(r"/\d+\.", "/999999.", link)
    answers = [browser.get(path).status_code for path in (wrong, elsewhere) * 6]
    assert answers == [404] * 10 + [429] * 2
    assert browser.get(link).status_code == 429
    assert web.sign_in("bob").get(MEMBERS).status_code == 200


@pytest.mark.parametrize(
    "token", ["0", "1.2.3", "9" * 30 + "." + "a" * 32 + "." + "b" * 43, "..", "%00", "ä"]
)
def test_what_is_no_token_is_not_there(shared_web, token):
    assert shared_web.browser().get(f"/invitation/{token}").status_code in (404, 400)


def test_two_at_once_make_one_account(web):
    token = link_of(web, "new@x.example").removeprefix("/invitation/")
    jobs, start = web.world.database.job, threading.Barrier(2)

    def join(name: str) -> str:
        start.wait()
        try:
            invitations.join(jobs, token, name, PASSWORD)
        except InvitationEnded:
            return "ended"
        return "joined"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(join, ("one", "two"))) == ["ended", "joined"]


def test_text_of_others_makes_no_header_and_no_markup(web, postbox):
    with superuser(web.world.database).begin() as connection:
        connection.execute(
            text("update workspace set name = :n where slug = 'alpha'"),
            {"n": "A\r\nBcc: eve@x.example\r\n\r\n<a href='//evil.example'>x</a>\u2028&amp;"},
        )
    sends(web.sign_in("bob"), "add", "new@x.example")
    message = mailed(web, postbox)
    assert message["Bcc"] is None
    assert message["Subject"].endswith("A Bcc: eve@x.example <a href='//evil.example'>x</a> &amp;")
    rich = message.get_body(("html",)).get_content()
    assert "<a href='//evil" not in rich
    assert "&lt;a href=" in rich
    assert rich.count("<a ") == 1


def test_an_operator_invites_lists_and_withdraws(web):
    def typed(*words: str) -> str:
        with web.app.app_context():
            return str(web.app.test_cli_runner().invoke(args=("member", *words)).output)

    link = typed("invite", "New@x.example", "alpha", "owner", "--link")
    assert web.browser().get(urlsplit(link.strip()).path).status_code == 200
    assert "alpha\tnew@x.example\towner\toperator\t" in typed("invitations")
    assert "is withdrawn" in typed("uninvite", "new@x.example", "alpha")
    assert typed("invitations", "alpha") == ""
    assert "There is no open invitation" in typed("uninvite", "new@x.example", "alpha")
    assert "is no e-mail address" in typed("invite", "new", "alpha", "owner")
    assert "is invited" in typed("invite", "new@x.example", "alpha", "viewer")
