"""Bounds on events that need no right: each address and person has its own, and there is one for all."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from storage.audit.bounded import A_SOURCE, ALTOGETHER, record_refusal
from tests.conftest import superuser

INSERT = text("""
insert into audit_event (at, actor, action, subject, details, hash)
select now() - cast(:ago as interval), :actor, 'access.deny', '/', cast(:details as jsonb), ''
from generate_series(1, :n)
""")


def denied(connection: Connection, actor: str, address: str = "") -> bool:
    details = {"address": address} if address else {}
    return record_refusal(connection, actor, "access.deny", "/platform/nights", details)


@pytest.fixture
def before(database):
    """Writes refusals of a person, so long ago, as if they had come about."""

    def write(actor: str, n: int, details: str = "{}", ago: str = "1 minute") -> None:
        values = {"actor": actor, "n": n, "details": details, "ago": ago}
        with superuser(database).begin() as connection:
            connection.execute(INSERT, values)

    return write


def test_a_persons_bound_is_theirs_alone(database, before):
    before("bob", A_SOURCE)
    with database.job.begin() as connection:
        assert not denied(connection, "bob")
        assert denied(connection, "carol")


def test_an_addresses_bound_holds_whoever_they_say_they_are(database, before):
    before("bob", A_SOURCE, '{"address": "192.0.2.1"}')
    with database.job.begin() as connection:
        assert not denied(connection, "carol", "192.0.2.1")
        assert denied(connection, "carol", "192.0.2.2")


def test_all_of_them_together_are_bounded(database, before):
    for number in range(ALTOGETHER // A_SOURCE):
        before(f"p{number}", A_SOURCE - 1)
    before("more", ALTOGETHER // A_SOURCE - 1)
    with database.job.begin() as connection:
        assert denied(connection, "one")
        assert not denied(connection, "two")
        last = connection.execute(text("select details from audit_event order by id desc limit 1"))
        assert last.scalar_one() == {"others_follow": True}


def test_the_next_hour_begins_anew(database, before):
    before("bob", A_SOURCE, ago="61 minutes")
    with database.job.begin() as connection:
        assert denied(connection, "bob")
