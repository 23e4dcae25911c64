"""ID tokens forged over HTTP: signatures, audiences, times, subjects, addresses and groups; which account
they lead to."""

from __future__ import annotations

import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import RSAKey

from auth import accounts
from auth.provider import linking
from tests.deep import all_but, every
from tests.web.people.provider.lying import (
    KEY,
    OTHER_KEY,
    Attacked,
    Claims,
    Lies,
    segment,
    signed,
)


def compact(header: Claims, claims: Claims, signature: bytes) -> str:
    parts = [segment(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, segment(signature)])


def mac(header: Claims, claims: Claims, secret: bytes) -> str:
    unsigned = compact(header, claims, b"").rpartition(".")[0]
    return f"{unsigned}.{segment(hmac.digest(secret, unsigned.encode(), 'sha256'))}"


PUBLIC = KEY.as_pem(private=False)
FORGED = {
    "none": lambda h, c: compact({"alg": "none"}, c, b""),
    "None": lambda h, c: compact({"alg": "None"}, c, b""),
    "none with our kid": lambda h, c: compact({"alg": "none", "kid": "one"}, c, b"x"),
    "no algorithm": lambda h, c: compact({"kid": "one"}, c, b""),
    "HS256 with the public key": lambda h, c: mac({"alg": "HS256", "kid": "one"}, c, PUBLIC),
    "HS256 with the public key, without a kid": lambda h, c: mac({"alg": "HS256"}, c, PUBLIC),
    "HS256 with the modulus": lambda h, c: mac(
        {"alg": "HS256"}, c, KEY.as_dict(private=False)["n"].encode()
    ),
    "HS256 with the client's secret": lambda h, c: mac({"alg": "HS256"}, c, b"a secret of ours"),
    "HS256 with nothing": lambda h, c: mac({"alg": "HS256"}, c, b""),
    "without its signature": lambda h, c: signed(h, c).rpartition(".")[0] + ".",
    "two parts": lambda h, c: signed(h, c).rpartition(".")[0],
    "other claims": lambda h, c: compact(h, c | {"sub": "x"}, b"") + signed(h, c).split(".")[2],
    "another's key": lambda h, c: signed(h, c, OTHER_KEY),
    "another's key, brought along": lambda h, c: signed(
        h | {"jwk": OTHER_KEY.as_dict(private=False)}, c, OTHER_KEY
    ),
    "another's key, by address": lambda h, c: signed(
        h | {"jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"}, c, OTHER_KEY
    ),
    "another kid": lambda h, c: signed(h | {"kid": "../../dev/null"}, c),
    "a critical header": lambda h, c: signed(h | {"crit": ["exp"], "exp": 1}, c),
    "a weak key": lambda h, c: signed(h, c, RSAKey.generate_key(1024, private=True)),
    "packed": lambda h, c: compact(h | {"zip": "DEF"}, c, b""),
    "a number": lambda h, c: 5,
    "empty": lambda h, c: "",
    "a list of claims": lambda h, c: signed(h, [c]),
}  # fmt: skip


@pytest.mark.parametrize("announces", all_but([False], [False, True]))
@pytest.mark.parametrize("how", FORGED)
def test_what_the_provider_did_not_sign_is_refused(site, how, announces):
    sub, _ = site.somebody()
    if announces:
        site.north.lies.discovery = {
            "id_token_signing_alg_values_supported": ["RS256", "none", "None", "HS256"]
        }
    site.north.lies.sign = FORGED[how]
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


def test_a_key_that_the_provider_changed_is_taken_and_the_old_one_no_more(site):
    sub, email = site.somebody()
    assert site.comes(sub).status_code == 302
    keys = json.dumps({"keys": [OTHER_KEY.as_dict(private=False)]})
    site.north.lies.answers["/jwks"] = lambda: keys
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser)), "signed with the old key"
    site.north.lies.sign = lambda h, c: signed(h | {"kid": "two"}, c, OTHER_KEY)
    site.comes(sub, browser)
    assert email in site.who(browser)


WRONG: list[Claims] = [
    {"aud": "another"},
    {"aud": ["another"]},
    {"aud": ["another"], "azp": "vigilo"},
    {"aud": "another", "azp": "vigilo"},
    {"aud": ["vigilo", "another"]},
    {"aud": ["vigilo", "another"], "azp": "another"},
    {"aud": "vigilo", "azp": "another"},
    {"aud": []},
    {"aud": [], "azp": "vigilo"},
    {"aud": ["vigilo", 5]},
    {"aud": {"vigilo": 1}},
    {"aud": None},
    {"aud": "vigilo2"},
    {"aud": "VIGILO"},
    {"iss": "https://evil.example"},
    {"iss": None},
    {"iss": ["x"]},
    {"exp": None},
    {"exp": 0},
    {"exp": -1},
    {"exp": "soon"},
    {"exp": True},
    {"exp": [4102444800]},
    {"iat": None},
    {"iat": "x"},
    {"sub": None},
    {"sub": ""},
    {"sub": 5},
    {"sub": ["a"]},
    {"sub": "x" * 256},
    {"sub": "a\0b"},
    {"sub": "\ud800"},
    {"sub": " padded "},
    {"nonce": None},
    {"at_hash": 5},
    {"at_hash": "x"},
]


@pytest.mark.parametrize("wrong", every(3, WRONG), ids=str)
def test_claims_that_are_not_as_they_must_be_are_refused(site, wrong):
    sub, _ = site.somebody()
    site.north.lies.claims = lambda claims: {
        k: v for k, v in (claims | wrong).items() if v is not None
    }
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


@pytest.mark.parametrize(
    "wrong", [{"exp": -600}, {"iat": 600}, {"nbf": 600}, {"iat": 10**400}], ids=str
)
def test_tokens_of_another_time_are_refused(site, wrong):
    sub, _ = site.somebody()
    at = {key: int(time.time()) + seconds for key, seconds in wrong.items()}
    site.north.lies.claims = lambda claims: claims | at
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


def test_more_audiences_are_taken_where_we_are_the_one_it_was_made_for(site):
    sub, email = site.somebody()
    site.north.lies.claims = lambda c: c | {"aud": ["account", "vigilo"], "azp": "vigilo"}
    browser = site.browser()
    site.comes(sub, browser)
    assert email in site.who(browser)


def test_an_issuer_means_its_own_people_alone(site):
    """Mix-up of people: the second provider's token of the same subject is somebody else."""
    sub, email = site.somebody()
    site.comes(sub)
    site.south.knows(sub, email=f"other.{email}", email_verified=True)
    browser = site.browser()
    back = site.at_provider(site.begin(browser, "south"), sub)
    assert site.refused(browser, site.finish(browser, back)), "the subject alone is nobody"
    site.south.lies.claims = lambda claims: claims | {"iss": site.north.issuer}
    back = site.at_provider(site.begin(browser, "south"), sub)
    assert site.refused(browser, site.finish(browser, back))


@pytest.mark.parametrize("word", [False, None, "true", "True", 1, [True], {}])
def test_an_address_that_is_not_verified_links_to_nothing(site, word):
    sub, _ = site.somebody(email_verified=word)
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


def test_an_address_links_to_one_subject_of_a_provider(site):
    """An address that was given to somebody new at the provider: they are not who had it before."""
    sub, email = site.somebody()
    site.comes(sub)
    heir = site.north.knows(f"heir-of-{sub}", email=email, email_verified=True)
    browser = site.browser()
    answer = site.comes(heir, browser)
    assert site.refused(browser, answer)
    assert "another person" in answer.text
    again = site.browser()
    site.comes(sub, again)
    assert email in site.who(again), "the first one still is"
    assert linking.unlink(site.web.world.database.job, email, "operator") == 1
    assert not site.who(again), "what came by the link ends with it"
    site.comes(heir, browser)
    assert email in site.who(browser), "once the operator took the old link away"


def test_two_subjects_that_come_at_once_are_not_both_linked(site):
    sub, email = site.somebody()
    heir = site.north.knows(f"heir-of-{sub}", email=email, email_verified=True)
    browsers = [(site.browser(), who) for who in (sub, heir) * 3]
    ways = [(b, site.at_provider(site.begin(b), who)) for b, who in browsers]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda way: site.finish(*way), ways))
    with site.web.world.database.owner.connect() as connection:
        linked = connection.exec_driver_sql(
            "select count(*) from user_identity i join app_user u on u.id = i.user_id where u.email = %s",
            (email,),
        )
        assert linked.scalar() == 1


def test_the_address_that_a_linked_person_shows_now_changes_nothing(site):
    sub, email = site.somebody()
    site.comes(sub)
    _, victim = site.somebody()
    site.north.knows(sub, email=victim, email_verified=True)
    browser = site.browser()
    site.comes(sub, browser)
    shown = site.who(browser)
    assert email in shown
    assert victim not in shown


def test_an_address_in_capitals_is_the_same(site):
    sub, email = site.somebody()
    site.north.knows(sub, email=email.upper(), email_verified=True)
    browser = site.browser()
    site.comes(sub, browser)
    assert email in site.who(browser)


LOOKALIKES = {
    "the Kelvin sign": lambda e: e.replace("k", "\u212a"),
    "a Cyrillic letter": lambda e: e.replace("o", "\u043e"),
    "a wide letter": lambda e: e.replace("k", "\uff4b"),
    "an invisible mark": lambda e: e.replace("k", "k\u200b"),
    "a space before": lambda e: f" {e}",
    "a no-break space after": lambda e: f"{e}\u00a0",
    "a tab after": lambda e: f"{e}\t",
    "a unit separator": lambda e: f"{e}\x1f",
    "a line end": lambda e: f"{e}\n",
    "a NUL": lambda e: f"{e}\0",
    "a surrogate": lambda e: f"{e}\ud800",
    "two": lambda e: f"{e},evil@x.example",
    "a list": lambda e: [e],
    "a name": lambda e: f"Me <{e}>",
    "quotes": lambda e: f'"{e.replace("@", chr(34) + "@")}',
    "a comment": lambda e: e.replace("@", "(x)@"),
    "a dot at the end": lambda e: f"{e}.",
    "a sub-address": lambda e: e.replace("@", "+x@"),
}


@pytest.mark.parametrize("how", every(3, LOOKALIKES))
def test_an_address_that_looks_like_anothers_is_not_theirs(site, how):
    email = f"kate.o.{list(LOOKALIKES).index(how)}@x.example"
    site.web.world.person(email)
    site.north.knows("lookalike", email=email, email_verified=True)
    site.north.lies.claims = lambda claims: claims | {
        "sub": f"like {how}", "email": LOOKALIKES[how](email)
    }  # fmt: skip
    browser = site.browser()
    assert site.refused(browser, site.comes("lookalike", browser))


def test_an_address_is_not_cut_until_it_is_anothers(site):
    victim = f"{'a' * 64}@{'b' * 180}.example"
    assert len(victim) <= 254
    victim = f"{'a' * 64}@{'b' * 180}.{'c' * (254 - 246)}"
    assert len(victim) == 254
    site.web.world.person(victim)
    sub = site.north.knows("long", email=f"{victim}evil", email_verified=True)
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000, 5, ["x"], "<b>x</b>", "\u202eevil"])
def test_a_name_that_is_none_keeps_nobody_out(site, name):
    sub, email = site.somebody()
    site.north.lies.claims = lambda claims: claims | {"name": name}
    browser = site.browser()
    site.comes(sub, browser)
    assert email in site.who(browser)


def role_in_beta(site: Attacked, email: str) -> str | None:
    with site.web.world.database.owner.connect() as connection:
        connection.exec_driver_sql("set local role vigilo_job")
        connection.exec_driver_sql("select vigilo.enter('job', %s)", (site.web.world.beta,))
        return connection.exec_driver_sql(
            "select role from membership m join app_user u on u.id = m.user_id"
            " where u.email = %s and revoked_at is null",
            (email,),
        ).scalar()


@pytest.mark.parametrize(
    "groups",
    every(3, [
     "sre", {"sre": True}, 1, True, None, [["sre"]], [{"sre": 1}], [None], [1], [True], ["SRE"], [" sre"],
     ["sre\0"], ["\ud800"], "sre,apps", [], ["platform_admin"], ["owner", "*", "beta"], {"0": "sre"}]),
    ids=str,
)  # fmt: skip
def test_groups_that_are_not_those_of_the_mapping_give_nothing(site, groups):
    sub, email = site.somebody()
    site.north.lies.claims = lambda claims: claims | {"groups": groups, "role": "platform_admin"}
    browser = site.browser()
    assert site.comes(sub, browser).status_code == 302
    assert role_in_beta(site, email) is None
    assert browser.get(
        f"{site.address}/ws/beta/platform/executive", allow_redirects=False, timeout=10
    ).status_code in (403, 404)


def test_groups_of_the_mapping_give_their_role_and_the_next_sign_in_takes_it(site):
    sub, email = site.somebody()
    site.north.lies.claims = lambda claims: claims | {"groups": ["apps", "sre", "apps"] * 500}
    assert site.comes(sub).status_code == 302
    assert role_in_beta(site, email) == "platform_admin"
    site.north.lies = Lies()
    assert site.comes(sub).status_code == 302
    assert role_in_beta(site, email) is None


def test_a_deactivated_account_is_not_linked(site):
    sub, email = site.somebody()
    accounts.set_active(site.web.world.database.job, email, is_active=False)
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))
    accounts.set_active(site.web.world.database.job, email, is_active=True)
    site.comes(sub, browser)
    assert email in site.who(browser)
