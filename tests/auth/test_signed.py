"""Everything that is signed, sealed or kept as a hash: cut, turned round, lengthened, taken for another
purpose, another person or another workspace, and after its end or a new key, it opens nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from cryptography.fernet import InvalidToken
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import text

from auth import accounts, first_account, second_factor, tokens
from auth.secret_key import Keys
from exports.digest import sending, stopping
from ingest.door import senders
from ingest.formats.form import Signed
from ingest.pulling import store
from storage import audit
from storage.audit import chain
from storage.context import as_viewer
from storage.identity.proof import Credential, Proof
from tests.served import ROOT
from tests.webworld import EXECUTIVE, csrf
from web.people import csrf_cookie

KEYS = Keys("k" * 40)
SALTS = ("vigilo visitor", csrf_cookie.SALT, stopping.SALT)
BOXES = (second_factor.PURPOSE, senders.PURPOSE, store.PURPOSE, sending.PURPOSE)
MARKS = (chain.PURPOSE.decode(), first_account.PURPOSE.decode())


def spoiled(secret: str) -> Iterator[str]:
    """A secret cut, lengthened, doubled, turned round, with a letter changed, its parts reordered."""
    yield from (secret[:-1], secret[1:], secret[: len(secret) // 2], secret + "A", "A" + secret)
    yield from (secret + secret, secret[::-1], secret.swapcase(), "")
    for at in {0, len(secret) // 3, len(secret) // 2, len(secret) - 1}:
        other = "B" if secret[at] != "B" else "C"
        yield secret[:at] + other + secret[at + 1 :]
    parts = secret.split(".")
    yield from (".".join(order) for order in permutations(parts) if list(order) != parts)
    yield from (".".join([*parts, parts[-1]]), ".".join(parts[:-1]), f"{secret}.", f".{secret}")


def test_every_purpose_is_its_own_and_no_beginning_of_another():
    """A key is derived from the purpose and the installation's key, one behind the other."""
    every = (*SALTS, *BOXES, *MARKS)
    for one, other in permutations(every, 2):
        assert not other.startswith(one)
    source = "\n".join(p.read_text() for folder in ("auth", "web", "exports", "ingest", "storage")
                       for p in (ROOT / folder).rglob("*.py"))  # fmt: skip
    constants = re.findall(
        r'^(?:PURPOSE|PATH, SALT|SALT) = (?:"[^"]*", )?b?"([^"]+)"', source, re.M
    )
    in_place = re.findall(r'salt="([^"]+)"', source)
    assert set(constants) | set(in_place) == set(every), "another purpose: it belongs to this test"


@pytest.mark.parametrize("salt", SALTS)
def test_what_is_signed_for_one_purpose_opens_no_other(salt):
    signed = URLSafeTimedSerializer(KEYS.current, salt=salt).dumps(7)
    plain = URLSafeSerializer(KEYS.current, salt=salt).dumps(7)
    for given in (signed, plain):
        opens = stopping.channel_of(KEYS, given) == 7
        assert opens == (given is plain and salt == stopping.SALT)


@pytest.mark.parametrize("purpose", BOXES)
def test_a_seal_of_one_purpose_opens_in_no_other_and_not_spoiled(purpose):
    sealed = KEYS.box(purpose).encrypt(b"a secret").decode()
    for other in BOXES:
        if other != purpose:
            with pytest.raises(InvalidToken):
                KEYS.box(other).decrypt(sealed)
    for given in spoiled(sealed.rstrip("=")):
        with pytest.raises(InvalidToken):
            KEYS.box(purpose).decrypt(given.encode())
    with pytest.raises(InvalidToken):
        Keys("n" * 40).box(purpose).decrypt(sealed)
    assert Keys("n" * 40, (KEYS.current,)).box(purpose).decrypt(sealed) == b"a secret"


def test_the_link_that_ends_a_digest_is_of_its_channel_and_key():
    token = stopping.link(KEYS, "", 7).rpartition("/")[2]
    assert stopping.channel_of(KEYS, token) == 7
    assert stopping.channel_of(Keys("n" * 40, (KEYS.current,)), token) == 7
    assert stopping.channel_of(Keys("n" * 40), token) is None
    eighth = base64.urlsafe_b64encode(b"8").rstrip(b"=").decode()
    for given in (*spoiled(token), f"{eighth}.{token.partition('.')[2]}"):
        assert stopping.channel_of(KEYS, given) is None, given
    words = URLSafeSerializer(KEYS.current, salt=stopping.SALT)
    for named in ("7", 7.0, [7], {"id": 7}, None, True, -7, 2**63):
        assert stopping.channel_of(KEYS, words.dumps(named)) is None, named


def test_a_visitors_cookie_is_none_when_spoiled_or_signed_for_anything_else(web):
    browser = web.browser()
    browser.get("/login")
    cookie = browser.get_cookie("vigilo").value
    forged = {"_user_id": str(web.people["alice"].user_id), "_fresh": True}
    others = [URLSafeTimedSerializer(KEYS.current, salt=s).dumps(forged) for s in SALTS]
    for given in (*spoiled(cookie[1:]), *others):
        thief = web.browser()
        thief.set_cookie("vigilo", f"~{given}")
        assert thief.get(EXECUTIVE).status_code in (302, 400), given


def test_a_session_is_its_secret_and_nothing_that_is_kept_of_it(web):
    alice = web.sign_in("alice")
    id = alice.get_cookie("vigilo").value
    proof = Proof.of(Credential.SESSION, id)
    kept = (
        proof.verifier.hex(),
        proof.handle.hex(),
        base64.urlsafe_b64encode(proof.verifier).decode(),
    )
    for given in (*spoiled(id), *kept):
        thief = web.browser()
        thief.set_cookie("vigilo", given or "x")
        assert thief.get(EXECUTIVE).status_code in (302, 400), given


def test_a_bearer_token_is_whole_and_of_its_scope(web):
    jobs = web.world.database.job
    token = tokens.create(jobs, "alice@x.example")
    sends = tokens.create(jobs, "engineer@x.example", scope=senders.scope("alpha"))
    assert tokens.holder(jobs, token) is not None
    for given in (*spoiled(token), sends, Proof.of(Credential.TOKEN, token).verifier.hex()):
        assert tokens.holder(jobs, given) is None, given
    assert senders.by_token(jobs, sends, "alpha") is not None
    assert senders.by_token(jobs, sends, "beta") is None
    assert senders.by_token(jobs, token, "alpha") is None


def test_a_form_is_of_the_session_that_it_was_given_to(web):
    alice, bob = web.sign_in("alice"), web.sign_in("bob")
    own, others = csrf(bob), csrf(alice)
    for given in (others["X-CSRFToken"], *spoiled(own["X-CSRFToken"])):
        answer = bob.post("/account/sign-out-everywhere", headers={"X-CSRFToken": given})
        assert answer.status_code in (400, 403), given
    assert bob.get("/account").status_code == 200, "still signed in"


def test_the_link_of_the_first_account_is_of_this_key():
    token = first_account.token(KEYS)
    assert len(token) == 40
    assert token != first_account.token(Keys("n" * 40))
    assert token not in {
        hashlib.sha256(first_account.PURPOSE + KEYS.current.encode()).hexdigest()[:40]
    }


@pytest.mark.parametrize("prefix", ["", "sha256=", "v1="])
def test_a_senders_signature_is_over_the_whole_body_with_its_own_secret(prefix):
    signed, body, secret = Signed("X", prefix), b'{"deployment": 1}', b"a sender's secret"
    right = prefix + hmac.new(secret, body, hashlib.sha256).hexdigest()
    assert signed.verify(body, right, secret)
    assert signed.verify(body, f"{prefix}{'0' * 64}, {right}", secret), "while a secret is changed"
    unkeyed = prefix + hashlib.sha256(secret + body).hexdigest()
    for given in (*spoiled(right), unkeyed, prefix, ",", "ä" * 64, right.upper()):
        if given != right:
            assert not signed.verify(body, given, secret), given
    for other in (body + b" ", body[:-1], b"", padded(len(secret), body)):
        assert not signed.verify(other, right, secret)
    assert not signed.verify(body, right, b"another's secret")
    assert not signed.verify(body, right, b"")


def padded(secret: int, body: bytes) -> bytes:
    """The body lengthened as a hash of secret and body, without HMAC, would let anybody do."""
    length = secret + len(body)
    zeros = (55 - length) % 64
    return body + b"\x80" + b"\0" * zeros + (8 * length).to_bytes(8, "big") + b', "more": 1}'


def test_a_head_of_the_audit_is_of_its_position_hash_instant_and_key(web):
    database, now = web.world.database, web.world.settings.now()
    with database.owner.begin() as connection:
        audit.record(connection, "alice@x.example", "records.download", "alpha", {})
        chain.link(connection)
        assert chain.sign(connection, KEYS.current, now) is not None
        assert list(chain.breaches(connection, [KEYS.current])) == []
        assert [b.kind for b in chain.breaches(connection, ["n" * 40])] == ["unsigned"]
        assert list(chain.breaches(connection, ["n" * 40, KEYS.current])) == []
    for change in (
        "signed_at = signed_at + interval '1 s'",
        "signature = sha256(signature)",
        "signature = substr(signature, 2)",
        "hash = sha256(hash)",
        "position = position + 1",
    ):
        with database.owner.connect() as connection:
            connection.execute(text("alter table audit_head disable trigger all"))
            connection.execute(text(f"update audit_head set {change}"))
            assert list(chain.breaches(connection, [KEYS.current])), change
            connection.rollback()


def test_an_answer_to_the_database_is_of_one_credential_person_and_moment(web):
    """An answer is worth nothing for another person, in another transaction, or as another kind."""
    database = web.world.database
    alice = Proof.of(Credential.TOKEN, tokens.create(database.job, "alice@x.example"))
    bob = Proof.of(Credential.TOKEN, tokens.create(database.job, "bob@x.example"))
    ask = text("select vigilo.identify(:kind, :handle, :answer)")
    with database.web.connect() as connection:
        challenge = bytes(connection.execute(text("select vigilo.challenge()")).scalar_one())
        right = alice.answer(challenge)
        naive = hashlib.sha256(alice.verifier + challenge).digest()
        wrong = [
            ("session", alice.handle, right),
            ("ticket", alice.handle, right),
            ("token", bob.handle, right),
            ("token", alice.handle, bob.answer(challenge)),
            ("token", alice.handle, alice.answer(challenge + b"x")),
            ("token", alice.handle, alice.answer(challenge[:-1])),
            ("token", alice.handle, right[:-1]),
            ("token", alice.handle, right + b"\0"),
            ("token", alice.handle, naive),
            ("token", alice.verifier, right),
            ("token", alice.handle, b""),
            ("token", alice.handle, None),
            (None, None, None),
        ]
        for kind, handle, answer in wrong:
            row = {"kind": kind, "handle": handle, "answer": answer}
            assert connection.execute(ask, row).scalar() is None, kind
        row = {"kind": "token", "handle": alice.handle, "answer": right}
        assert connection.execute(ask, row).scalar() == web.people["alice"].user_id
        connection.rollback()
        assert connection.execute(ask, row).scalar() is None, "another moment"
        connection.rollback()
    accounts.set_active(database.job, "alice@x.example", is_active=False)
    with database.web.connect() as connection:
        challenge = bytes(connection.execute(text("select vigilo.challenge()")).scalar_one())
        row = {"kind": "token", "handle": alice.handle, "answer": alice.answer(challenge)}
        assert connection.execute(ask, row).scalar() is None, "after its end"


def test_a_seal_is_of_one_person(web):
    """The seal that the database wrote for one person does not hold for the number of another."""
    database = web.world.database
    viewer = web.people["dave"]
    proof = Proof.of(Credential.TOKEN, tokens.create(database.job, "dave@x.example"))
    with as_viewer(database.web, replace(viewer, proof=proof)) as connection:
        seal = connection.execute(text("select vigilo.setting('vigilo.seal')")).scalar_one()
        assert connection.execute(text("select vigilo.viewer()")).scalar() == viewer.user_id
        for given in (seal, *spoiled(seal)):
            for person in (web.people["alice"].user_id, viewer.user_id):
                if (given, person) == (seal, viewer.user_id):
                    continue
                for name, value in (("user_id", person), ("seal", given)):
                    connection.exec_driver_sql(
                        "select set_config(%s, %s, true)", (f"vigilo.{name}", str(value))
                    )
                shown = connection.execute(text("select vigilo.viewer()")).scalar()
                assert shown is None, (given, person)
