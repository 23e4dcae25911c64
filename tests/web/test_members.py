"""Admin, Members: Alice is platform admin, Bob owns alpha, Dave must see nothing."""

from __future__ import annotations

import itertools
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from auth import accounts, granting, membership
from auth.accounts import AccountError
from auth.membership import NotAllowed
from storage.context import job_in

PATH = "/ws/alpha/admin/members"


def post(client, email, role="", action=None, path=PATH):
    """Unless told: a change of who is in the list, else an addition."""
    page = client.get(path)
    action = action or ("change" if email in page.text else "add")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    form = {"csrf_token": token[1] if token else "", "email": email, "role": role, "action": action}
    return client.post(path, data=form, follow_redirects=True)


def role(web, who):
    with job_in(web.world.database.job, web.world.alpha) as connection:
        query = text("select role from membership where user_id = :u and revoked_at is null")
        return connection.execute(query, {"u": web.people[who].user_id}).scalar()


def audited(web):
    with web.world.database.job.connect() as connection:
        query = text(
            "select action, actor, details from audit_event where action like 'member.%' order by id"
        )
        return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize("who", ["alice", "bob", "admin"])
def test_managers_see_the_members(web, who):
    page = web.sign_in(who).get(PATH)
    assert page.status_code == 200
    assert "engineer@x.example" in page.text
    assert "revoked@x.example" not in page.text


@pytest.mark.parametrize(("who", "status"), [("engineer", 403), ("viewer", 403), ("dave", 404)])
def test_others_see_nothing_of_it(web, who, status):
    page = web.sign_in(who).get(PATH)
    assert page.status_code == status
    assert "bob@x.example" not in page.text


def test_grant_change_and_revoke_work_with_the_next_request_and_are_audited(web):
    alice, bob, dave = web.sign_in("alice"), web.sign_in("bob"), web.sign_in("dave")
    accounts.grant(web.world.database.job, "dave@x.example", "beta", "viewer")
    assert dave.get("/ws/alpha/analytics").status_code == 404
    post(alice, "dave@x.example", "viewer")
    assert dave.get("/ws/alpha/analytics").status_code == 200
    post(bob, "dave@x.example", "admin")
    assert dave.get(PATH).status_code == 200
    post(bob, "dave@x.example", action="revoke")
    assert dave.get("/ws/alpha/analytics").status_code == 302, "what they came in with has ended"
    assert web.sign_in("dave").get("/ws/alpha/analytics").status_code == 404
    assert [(a, who, d["before"], d["after"]) for a, who, d in audited(web)] == [
        ("member.grant", "operator", None, "viewer"),
        ("member.grant", "alice@x.example", None, "viewer"),
        ("member.change", "bob@x.example", "viewer", "admin"),
        ("member.revoke", "bob@x.example", "admin", None),
    ]


@pytest.mark.parametrize(
    ("who", "whom", "to", "said"),
    [
        ("bob", "dave", "platform_admin", "is not enough for platform_admin"),
        ("bob", "alice", "viewer", "is not enough for platform_admin"),
        ("admin", "bob", "viewer", "is not enough for owner"),
        ("admin", "dave", "owner", "is not enough for owner"),
        ("bob", "bob", "viewer", "The last owner stays"),
        ("alice", "bob", "admin", "The last owner stays"),
        ("bob", "dave", "emperor", "Choose a role"),
    ],
)
def test_what_the_rules_refuse_is_said_and_changes_nothing(web, who, whom, to, said):
    before = {name: role(web, name) for name in web.people}
    assert said in post(web.sign_in(who), f"{whom}@x.example", to).text
    assert {name: role(web, name) for name in web.people} == before
    assert audited(web) == []


def test_the_last_owner_can_not_be_revoked_by_anyone(web):
    for who in ("bob", "alice"):
        page = post(web.sign_in(who), "bob@x.example", action="revoke")
        assert "The last owner stays" in page.text
    assert role(web, "bob") == "owner"


def test_an_owner_whose_account_was_deactivated_is_no_owner(web):
    """The list has them no more, and nobody could act as owner if the one who is left went."""
    jobs = web.world.database.job
    accounts.grant(jobs, "dave@x.example", "alpha", "owner")
    accounts.set_active(jobs, "dave@x.example", is_active=False)
    assert (
        "The last owner stays" in post(web.sign_in("alice"), "bob@x.example", action="revoke").text
    )
    assert role(web, "bob") == "owner"


def test_a_change_of_someone_who_was_just_revoked_does_not_bring_them_back(web):
    page = post(web.sign_in("bob"), "engineer@x.example", action="revoke")
    page = post(web.sign_in("alice"), "engineer@x.example", "viewer", action="change")
    assert "engineer@x.example is no longer a member: add them again." in page.text
    assert role(web, "engineer") is None


def test_adding_a_member_does_not_change_their_role_in_passing(web):
    page = post(web.sign_in("bob"), "engineer@x.example", "viewer", action="add")
    assert "is a member already, as engineer: change the role in the list." in page.text
    field = re.search(r'<input [^>]*id="email"[^>]*>', page.text)[0]
    assert 'aria-describedby="email-error"' in field
    assert 'value="engineer@x.example"' in field
    assert '<option selected value="viewer">' in page.text
    assert 'class="note x"' not in page.text
    assert role(web, "engineer") == "engineer"


def test_an_unknown_action_changes_nothing(web):
    assert "Choose what to do" in post(web.sign_in("bob"), "dave@x.example", "viewer", "x").text
    assert role(web, "dave") is None


def test_the_command_line_keeps_the_last_owner_and_is_audited(web):
    jobs = web.world.database.job
    for refused in (
        lambda: accounts.revoke(jobs, "bob@x.example", "alpha"),
        lambda: accounts.grant(jobs, "bob@x.example", "alpha", "viewer"),
    ):
        with pytest.raises(AccountError, match="The last owner stays"):
            refused()
    accounts.grant(jobs, "Dave@x.example", "alpha", "owner")
    accounts.revoke(jobs, "bob@x.example", "alpha")
    assert (role(web, "dave"), role(web, "bob")) == ("owner", None)
    assert [(action, who) for action, who, _ in audited(web)] == [
        ("member.grant", "operator"),
        ("member.revoke", "operator"),
    ]


def test_two_owners_who_revoke_each_other_at_once_leave_one(web):
    """The lock: both see two owners, one comes second and is refused."""
    jobs, place = web.world.database.job, (web.world.alpha, "alpha")
    accounts.grant(jobs, "dave@x.example", "alpha", "owner")
    people = {name: (web.people[name].user_id, f"{name}@x.example") for name in ("bob", "dave")}
    start = threading.Barrier(2)

    def revoke(who, whom):
        start.wait()
        try:
            return granting.change(
                jobs, place, granting.MembershipAction.REVOKE, people[whom][1], asker=people[who]
            )
        except NotAllowed as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(revoke, ("bob", "dave"), ("dave", "bob")))
    assert sum("is no longer a member." in text for text in said) == 1, said
    assert sorted([role(web, "bob") or "", role(web, "dave") or ""]) == ["", "owner"]


def test_a_new_password_ends_every_session(web):
    bob = web.sign_in("bob")
    assert bob.get(PATH).status_code == 200
    accounts.set_password(web.world.database.job, "BOB@x.example", "another password")
    assert bob.get(PATH).status_code == 302
    with pytest.raises(AccountError, match="there is no account"):
        accounts.set_password(web.world.database.job, "no@x.example", "another password")


@pytest.mark.parametrize("who", ["engineer", "dave"])
def test_a_form_of_someone_else_is_refused(web, who):
    client = web.sign_in(who)
    client.get("/start")
    token = re.search(r'value="([^"]+)"', web.sign_in("bob").get(PATH).text)[1]
    form = {"csrf_token": token, "email": f"{who}@x.example", "role": "owner"}
    assert client.post(PATH, data=form).status_code in (403, 404)
    assert role(web, who) != "owner"


def test_a_form_without_its_token_is_refused(web):
    answer = web.sign_in("bob").post(PATH, data={"email": "dave@x.example", "role": "viewer"})
    assert answer.status_code == 403
    assert role(web, "dave") is None


def test_the_list_of_workspaces_has_no_trace_of_the_executive_page(web):
    bob, alice = web.sign_in("bob"), web.sign_in("alice")
    assert "xecutive dashboard" not in bob.get("/start?choose=1").text
    assert "/platform/executive" not in bob.get("/start?choose=1").text
    assert "/platform/executive" in alice.get("/start?choose=1").text


RULES = list(
    itertools.product(
        (None, *membership.ORDER), (None, *membership.ORDER), (None, *membership.ORDER), (1, 2)
    )
)


def test_every_change_of_every_role_follows_the_rules():
    """Against a second, plain statement of them."""
    rank = {name: i for i, name in enumerate(membership.ORDER)}
    for asker, before, after, owners in RULES:
        may = asker in ("admin", "owner", "platform_admin")
        may = may and all(rank[r] <= rank[asker] for r in (before, after) if r)
        may = may and not (before == "owner" and after != "owner" and owners == 1)
        try:
            membership.check(asker, before, after, owners)
            assert may, (asker, before, after, owners)
        except NotAllowed:
            assert not may, (asker, before, after, owners)
