"""Secrets of sources: sealed for one source, under a key that rotates, in no log and no answer."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import text

from auth.secret_key import Keys
from ingest.pulling import store
from ingest.pulling.problems import SourceProblem
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub


def test_it_opens_under_a_former_key_and_for_its_source_alone(installed):
    engine, old = installed.context.database.job, Keys("a" * 40)
    one = installed.make("github", owner="acme")
    other = installed.make("github", owner="acme")
    store.replace_secret(engine, old.box(store.PURPOSE), one, "ghp_secret-0001", "alice@x.example")
    with engine.connect() as connection:
        rotated = Keys("b" * 40, ("a" * 40,)).box(store.PURPOSE)
        assert store.secret_of(connection, rotated, one) == "ghp_secret-0001"
        with pytest.raises(SourceProblem, match="No key opens"):
            store.secret_of(connection, Keys("b" * 40).box(store.PURPOSE), one)
    installed.world.sql(f"update source set secret = (select secret from source where id = {one})"
                        f" where id = {other}")  # fmt: skip
    with engine.connect() as connection, pytest.raises(SourceProblem, match="another source"):
        store.secret_of(connection, rotated, other)


def test_it_is_in_no_log_no_message_and_no_audit(installed, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "ghp_never-to-be-seen"
    with served(FakeGitHub()) as fake:
        fake.faults = ["500", "cut", "429"]
        source = installed.make("github", secret, owner="acme", address=fake.base)
        run = installed.sync(source)
    assert run.error_code == "token_invalid"
    with installed.context.database.owner.connect() as connection:
        audit = connection.execute(
            text("select actor, action, details from audit_event order by id")
        ).all()
    told = caplog.text + repr(run) + repr(installed.source(source)) + repr(audit)
    assert secret not in told
    assert installed.source(source).secret_hint == "…seen"
    assert [a.action for a in audit] == ["source.create", "source.run"]


def test_the_web_role_can_not_read_it(installed):
    with installed.context.database.web.connect() as connection:
        allowed = connection.execute(
            text("select has_table_privilege('source', 'select')")
        ).scalar_one()
    assert allowed is False
