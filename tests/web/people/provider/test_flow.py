"""Sign-in with an identity provider attacked over HTTP: state, nonce, code, PKCE, issuer, redirections,
sessions and sign-out."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from auth import accounts
from tests.deep import every
from tests.web.people.provider.lying import Lies


def query_of(address: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}


def changed(address: str, **parameters: str | None) -> str:
    """The address with parameters set, or taken away."""
    query = query_of(address) | {k: v for k, v in parameters.items() if v is not None}
    left = {k: v for k, v in query.items() if parameters.get(k, v) is not None}
    return (
        urlsplit(address)
        ._replace(query="&".join(f"{k}={quote(v)}" for k, v in left.items()))
        .geturl()
    )


def test_whoever_the_provider_vouches_for_is_let_in(site):
    sub, email = site.somebody()
    browser = site.browser()
    assert site.comes(sub, browser).status_code == 302
    assert email in site.who(browser)


@pytest.mark.parametrize("state", [None, "", "x", "../x", "é" * 50])
def test_without_the_state_that_was_given_nobody_is_let_in(site, state):
    sub, _ = site.somebody()
    browser = site.browser()
    back = site.at_provider(site.begin(browser), sub)
    assert site.refused(browser, site.finish(browser, changed(back, state=state)))
    assert "/oauth2/token" not in site.north.lies.asked, "the code was not shown to anybody"


def test_an_answer_is_good_once(site):
    sub, email = site.somebody()
    browser = site.browser()
    back = site.at_provider(site.begin(browser), sub)
    assert site.finish(browser, back).status_code == 302
    assert site.finish(browser, back).status_code == 403
    assert email in site.who(browser), "the session of the first time stands"
    stranger = site.browser()
    assert site.refused(stranger, site.finish(stranger, back))


def test_a_cookie_of_before_does_not_open_the_door_again(site):
    sub, _ = site.somebody()
    browser = site.browser()
    there = site.begin(browser)
    copied = dict(browser.cookies)
    back = site.at_provider(there, sub)
    assert site.finish(browser, back).status_code == 302
    thief = site.browser()
    thief.cookies.update(copied)
    assert site.refused(thief, site.finish(thief, back)), "the code is used up"


def test_another_browsers_answer_signs_nobody_in(site):
    """Sign-in forgery: the attacker's own answer is put before somebody else's browser."""
    attacker, _ = site.somebody()
    back = site.at_provider(site.begin(site.browser()), attacker)
    victim = site.browser()
    assert site.refused(victim, site.finish(victim, back))
    site.begin(victim)
    assert site.refused(victim, site.finish(victim, back))


def test_a_forged_answer_leaves_the_victims_session_alone(site):
    attacker, _ = site.somebody()
    sub, email = site.somebody()
    back = site.at_provider(site.begin(site.browser()), attacker)
    victim = site.browser()
    site.comes(sub, victim)
    assert site.finish(victim, back).status_code == 403
    assert email in site.who(victim)


def test_a_code_of_another_browser_lacks_its_verifier(site):
    """Code injection: a stolen code under a state of one's own."""
    victim, _ = site.somebody()
    stolen = query_of(site.at_provider(site.begin(site.browser()), victim))["code"]
    thief, own = site.browser(), site.somebody()[0]
    back = site.at_provider(site.begin(thief), own)
    assert site.refused(thief, site.finish(thief, changed(back, code=stolen)))


def test_a_code_of_another_client_is_worth_nothing(site):
    victim, _ = site.somebody()
    browser = site.browser()
    there = site.begin(browser)
    elsewhere = changed(there.headers["Location"], client_id="another")
    answer = requests.post(elsewhere, data={"sub": victim}, allow_redirects=False, timeout=10)
    assert site.refused(browser, site.finish(browser, answer.headers["Location"]))


def test_a_code_is_asked_for_with_s256_whatever_the_provider_says_of_itself(site):
    for said in ({"code_challenge_method": "plain"}, {"code_challenge_method": None},
                 {"code_challenge_methods_supported": ["plain"]}, {"scope": "openid"},
                 {"response_type": "token"}, {"response_mode": "fragment"}, {"nonce": "mine"},
                 {"client_id": "other"}, {"verify": False}, {"update_token": "x"}):  # fmt: skip
        site.north.lies = Lies(discovery=said)
        site.know_nothing()
        sub, _ = site.somebody()
        browser = site.browser()
        there = site.begin(browser)
        query = query_of(there.headers["Location"])
        assert query["code_challenge_method"] == "S256"
        assert query["response_type"] == "code"
        assert query["client_id"] == "vigilo"
        assert query["nonce"] != "mine"
        assert "response_mode" not in query
        assert "email" in query["scope"]
        assert site.finish(browser, site.at_provider(there, sub)).status_code == 302, said


@pytest.mark.parametrize("nonce", [None, "", "of another", 5, ["x"]])
def test_a_token_of_another_sign_in_is_refused(site, nonce):
    sub, _ = site.somebody()
    site.north.lies.claims = lambda claims: {
        k: v for k, v in (claims | {"nonce": nonce}).items() if v is not None
    }
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


def test_the_token_of_an_earlier_sign_in_is_refused(site):
    sub, _ = site.somebody()
    kept = []
    site.north.lies.claims = lambda claims: kept.append(claims) or claims
    assert site.comes(sub).status_code == 302
    site.north.lies.claims = lambda claims: kept[0]
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


def test_an_answer_of_one_provider_opens_nothing_at_the_others_door(site):
    """Mix-up: the state was given for the other provider."""
    sub, _ = site.somebody()
    browser = site.browser()
    site.begin(browser, "south")
    back = site.at_provider(site.begin(browser, "north"), sub)
    astray = back.replace("/sign-in/north/", "/sign-in/south/")
    assert site.refused(browser, site.finish(browser, astray))
    assert "/oauth2/token" not in site.south.lies.asked, "the code was not shown to the other"


def test_the_issuer_that_an_answer_names_is_the_one_that_was_asked(site):
    sub, _ = site.somebody()
    for wrong in (site.south.issuer, "", "https://evil.example", site.north.issuer + "/x"):
        site.north.lies.back = {"iss": wrong}
        browser = site.browser()
        assert site.refused(browser, site.comes(sub, browser)), wrong
    assert "/oauth2/token" not in site.north.lies.asked
    site.north.lies.back = {"iss": site.north.issuer}
    assert site.comes(sub).status_code == 302


def test_an_issuer_that_names_itself_always_does(site):
    sub, _ = site.somebody()
    site.north.lies.discovery = {"authorization_response_iss_parameter_supported": True}
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))
    site.north.lies.back = {"iss": site.north.issuer}
    assert site.comes(sub).status_code == 302


@pytest.mark.parametrize(
    "target",
    every(3, [
     "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "///evil.example",
     "/%09/evil.example", "/%0d%0aLocation:%20//evil.example", "javascript:alert(1)", "http:evil.example",
     "/%5cevil.example", "//evil.example%2f@127.0.0.1", "@evil.example", "/\u2028//evil.example"]),
)  # fmt: skip
def test_whoever_signs_in_goes_on_to_this_site_alone(site, target):
    sub, _ = site.somebody()
    for sent in (target, quote(target, safe="%"), quote(target, safe="")):
        browser = site.browser()
        done = site.finish(
            browser, site.at_provider(site.begin(browser, query=f"?next={sent}"), sub)
        )
        assert done.status_code == 302
        onward = done.headers["Location"]
        assert onward.startswith("/"), onward
        assert not onward.startswith(("//", "/\\")), onward
        led = browser.get(site.address + onward, allow_redirects=False, timeout=10)
        assert "evil" not in urlsplit(led.headers.get("Location", "")).netloc


def test_where_the_provider_leads_back_to_is_ours_whatever_host_is_asked(site):
    browser = site.browser()
    there = browser.get(
        f"{site.address}/sign-in/north?redirect_uri=https://evil.example/",
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
        allow_redirects=False,
        timeout=10,
    )
    assert (
        query_of(there.headers["Location"])["redirect_uri"]
        == f"{site.address}/sign-in/north/callback"
    )


def test_the_cookie_of_before_is_none_of_afterwards(site):
    """Session fixation: whoever planted or copied the visitor's cookie is not signed in with them."""
    sub, _ = site.somebody()
    browser = site.browser()
    browser.get(f"{site.address}/login", timeout=10)
    planted = dict(browser.cookies)
    there = site.begin(browser)
    begun = dict(browser.cookies)
    site.finish(browser, site.at_provider(there, sub))
    for copied in (planted, begun):
        thief = site.browser()
        thief.cookies.update(copied)
        assert not site.who(thief)


def test_a_sign_in_over_anothers_session_ends_that(site):
    first, _ = site.somebody()
    second, email = site.somebody()
    browser = site.browser()
    site.comes(first, browser)
    copied = dict(browser.cookies)
    site.comes(second, browser)
    assert email in site.who(browser)
    left = site.browser()
    left.cookies.update(copied)
    assert not site.who(left)


def test_many_beginnings_do_not_close_the_door(site):
    """A browser keeps cookies of 4 KB: what is begun and never ended must not fill them."""
    sub, email = site.somebody()
    browser = site.browser()
    for _ in range(20):
        there = site.begin(browser)
        assert all(len(f"{c.name}={c.value}") < 4000 for c in browser.cookies)
    site.finish(browser, site.at_provider(there, sub))
    assert email in site.who(browser)
    for _ in range(20):  # signed in: its row does not grow either
        site.begin(browser)
    with site.web.world.database.owner.connect() as connection:
        longest = connection.exec_driver_sql("select max(length(data::text)) from web_session")
        assert longest.scalar() < 6000


def test_two_tabs_can_sign_in_at_once(site):
    sub, email = site.somebody()
    browser = site.browser()
    first, _ = site.begin(browser), site.begin(browser)
    site.finish(browser, site.at_provider(first, sub))
    assert email in site.who(browser)


def test_a_sign_out_ends_the_session_here_and_says_where_to_end_it_there(site):
    sub, _ = site.somebody()
    browser = site.browser()
    site.comes(sub, browser)
    browser.get(f"{site.address}/account", timeout=10)
    copied = dict(browser.cookies)
    assert browser.get(f"{site.address}/logout", timeout=10).status_code == 200
    assert site.who(browser), "asking for the page signs nobody out"
    forged = browser.post(
        f"{site.address}/logout", headers={"Origin": "https://evil.example"}, timeout=10
    )
    assert forged.status_code == 403
    token = {"X-CSRFToken": browser.cookies.get("_csrf_token", "")}
    left = browser.post(f"{site.address}/logout", headers=token, allow_redirects=False, timeout=10)
    query = query_of(left.headers["Location"])
    assert left.headers["Location"].startswith(f"{site.north.issuer}/oauth2/end_session?")
    assert query["post_logout_redirect_uri"] == f"{site.address}/login"
    thief = site.browser()
    thief.cookies.update(copied)
    assert not site.who(thief)


@pytest.mark.parametrize(
    "path", ["/sign-in/north/logout", "/sign-in/north/backchannel", "/sign-in/north/callback"]
)
def test_nothing_that_is_sent_behind_the_persons_back_signs_them_in_or_out(site, path):
    sub, _ = site.somebody()
    browser = site.browser()
    site.comes(sub, browser)
    form = {"logout_token": "x", "code": "x", "state": "x"}
    sent = requests.post(f"{site.address}{path}", data=form, timeout=10, allow_redirects=False)
    assert sent.status_code in (302, 401, 403, 404, 405)
    assert site.who(browser)


@pytest.mark.parametrize(
    "ends_at",
    ["javascript:alert(1)", "http://evil.example;script-src *", 5, "//evil.example", "x" * 9000],
)
def test_a_sign_out_address_that_is_none_is_left_out(site, ends_at):
    site.north.lies.discovery = {"end_session_endpoint": ends_at}
    sub, _ = site.somebody()
    browser = site.browser()
    site.comes(sub, browser)
    page = browser.get(f"{site.address}/logout", timeout=10)
    assert page.status_code == 200
    assert "form-action 'self'" in page.headers["Content-Security-Policy"].split("; ")
    assert "evil" not in page.headers["Content-Security-Policy"]
    token = {"X-CSRFToken": browser.cookies.get("_csrf_token", "")}
    left = browser.post(f"{site.address}/logout", headers=token, allow_redirects=False, timeout=10)
    assert left.headers["Location"] == "/login"


def test_what_nobody_asked_for_does_not_reach_the_provider(site):
    browser = site.browser()
    site.begin(browser)
    site.north.lies.asked.clear()
    for _ in range(5):
        assert (
            site.finish(
                browser, f"{site.address}/sign-in/north/callback?code=x&state=y"
            ).status_code
            == 403
        )
    assert site.north.lies.asked == []


def test_a_deactivated_account_stays_outside_and_its_sessions_end(site):
    sub, email = site.somebody()
    browser = site.browser()
    site.comes(sub, browser)
    accounts.set_active(site.web.world.database.job, email, is_active=False)
    assert not site.who(browser)
    assert site.refused(browser, site.comes(sub, browser))


def test_a_stranger_gets_no_account_and_their_name_no_row(site):
    sub = site.north.knows("stranger", email="stranger@x.example", email_verified=True)
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))
    with site.web.world.database.owner.connect() as connection:
        made = connection.exec_driver_sql(
            "select count(*) from app_user where email like 'stranger%%'"
        )
        assert made.scalar() == 0
