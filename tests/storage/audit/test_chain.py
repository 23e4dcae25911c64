"""Whatever is done to the audit is found, by whoever does it; and writing it holds up nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from storage import audit
from storage.audit import NotTheirs, chain, export
from storage.context import as_viewer
from tests.conftest import superuser
from tests.world import World

KEY, FORMER = "k" * 32, "f" * 32
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def world(database, settings) -> World:
    """Ten events by different people, linked, with a signed head at the sixth and at the last."""
    made = World(database, settings)
    for number in range(10):
        with database.job.begin() as connection:
            audit.record(connection, f"p{number}@x.example", "member.grant", "alpha", {"n": number})
        if number in (5, 9):
            with database.job.begin() as connection:
                chain.link(connection)
                assert chain.sign(connection, KEY if number == 9 else FORMER, NOW)
    return made


def breaches(world: World, *keys: str) -> set[str]:
    with world.database.job.begin() as connection:
        return {b.kind for b in chain.breaches(connection, keys or (KEY, FORMER))}


def test_what_was_not_touched_is_whole(world):
    assert breaches(world) == set()
    with world.database.job.begin() as connection:
        assert chain.sign(connection, KEY, NOW) is None, "it is signed already"
        assert chain.length(connection) == chain.ChainLength(10, 2, 10)


FORGED = (
    "insert into audit_event (id, at, actor, action, subject, details, hash) overriding system value"
    " values ({id}, now(), 'x', 'member.grant', 'alpha', '{{}}',"
    " vigilo.audit_digest({id}, now(), 'x', 'member.grant', 'alpha', '{{}}'))"
)
REWRITE = (
    "do $$ declare l record; former bytea := ''; begin for l in select k.position, e.id, e.hash"
    " from audit_link k join audit_event e on e.id = k.event_id order by 1 loop"
    " former := sha256(former || int8send(l.position) || int8send(l.id) || l.hash);"
    " update audit_link set hash = former where position = l.position; end loop; end $$"
)
"""Everything that the owner of the database can compute."""
REDIGEST = (
    "update audit_event set hash = vigilo.audit_digest(id, at, actor, action, subject, details)"
)
HARM = {
    "update audit_event set actor = 'x' where id = 3": {"changed"},
    "update audit_event set at = at + interval '1 microsecond' where id = 3": {"changed"},
    "update audit_event set action = 'x' where id = 3": {"changed"},
    "update audit_event set subject = null where id = 3": {"changed"},
    "update audit_event set details = details || '{\"n\": 9}' where id = 3": {"changed"},
    f"update audit_event set actor = 'x' where id = 3; {REDIGEST}": {"forged"},
    f"update audit_event set actor = 'x' where id = 3; {REDIGEST}; {REWRITE}": {"forged"},
    "delete from audit_event where id = 3": {"missing"},
    "delete from audit_event where id = 3; delete from audit_link where event_id = 3": {"missing"},
    "delete from audit_event where id = 10; delete from audit_link where event_id = 10": {
        "truncated"
    },
    "delete from audit_event where id > 6; delete from audit_link where event_id > 6": {
        "truncated"
    },
    "delete from audit_event; delete from audit_link": {"truncated"},
    "delete from audit_event where id = 10; delete from audit_link where event_id = 10;"
    " delete from audit_head": set(),
    "update audit_link set event_id = case event_id when 3 then 104 else 103 end where event_id in (3, 4);"
    " update audit_link set event_id = event_id - 100 where event_id > 100": {
        "reordered",
        "forged",
    },
    FORGED.format(id=99): {"forged"},
    FORGED.format(id=99) + "; insert into audit_link values (11, 99, sha256(''))": {"forged"},
    "update audit_head set hash = sha256('') where position = 6": {"unsigned"},
    "update audit_head set signature = sha256('')": {"unsigned"},
    "update audit_head set signed_at = signed_at - interval '1 day'": {"unsigned"},
}
"""Harm done as the superuser, and what is found. The end of the chain and every signature together are the
one thing that the database alone does not give away: the log has each head."""


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_found(world, harm):
    with superuser(world.database).begin() as connection:
        for statement in harm.split("; ") if "do $$" not in harm else [harm]:
            connection.exec_driver_sql(statement)
    assert breaches(world) == HARM[harm]


def test_a_head_under_a_key_that_is_not_ours_is_none(world):
    assert breaches(world, KEY) == {"unsigned"}


def test_writing_waits_for_nobody(world):
    """Two transactions write events at the same time, and one of them takes as long as it likes."""
    with world.database.job.connect() as slow, slow.begin():
        audit.record(slow, "slow@x.example", "member.grant", "alpha", {})
        with world.database.job.begin() as quick:
            quick.execute(text("set local lock_timeout = '2s'"))
            audit.record(quick, "quick@x.example", "member.grant", "alpha", {})
        with world.database.job.begin() as connection:
            assert chain.link(connection) == 1
    with world.database.job.begin() as connection:
        assert chain.link(connection) == 1
    assert breaches(world) == set()


def test_the_web_role_can_not_hold_the_chain_up(world):
    """Any role may take advisory locks; the chain's lock is a row that it may not."""
    with world.database.job.begin() as connection:
        audit.record(connection, "new@x.example", "member.grant", "alpha", {})
    with world.database.web.begin() as web, pytest.raises(ProgrammingError):
        web.execute(text("select from installation for update"))
    with world.database.web.begin() as web:
        web.execute(text("select pg_advisory_xact_lock(1098211433)"))
        with world.database.job.begin() as connection:
            assert chain.link(connection) == 1


def test_an_event_that_waits_to_be_linked_is_no_breach(world):
    with world.database.job.begin() as connection:
        audit.record(connection, "new@x.example", "member.grant", "alpha", {})
    assert breaches(world) == set()


def test_the_web_role_writes_as_itself_alone(world):
    alice = world.person("alice@x.example")
    world.member(alice, world.workspace("alpha"), "viewer")
    with as_viewer(world.database.web, alice) as connection:
        audit.record_own(connection, "records.download", "alpha/incidents", {"rows": 3})
    with world.database.job.connect() as connection:
        actor, details = connection.execute(
            text("select actor, details from audit_event order by id desc limit 1")
        ).one()
    assert (actor, details) == ("alice@x.example", {"rows": 3})
    elsewhere = as_viewer(world.database.web, alice)
    with elsewhere as connection, pytest.raises(NotTheirs, match="no event of theirs"):
        audit.record_own(connection, "records.download", "beta/incidents", {})
    with world.database.web.begin() as connection, pytest.raises(NotTheirs, match="proved"):
        audit.record_own(connection, "records.download", "alpha/incidents", {})


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_event set actor = 'x'",
        "delete from audit_event",
        "insert into audit_event (actor, action, hash) values ('x', 'x', '\\x00')",
        "insert into audit_link values (1, 1, '\\x00')",
        "update audit_link set hash = '\\x00'",
        "delete from audit_unlinked",
        "update audit_head set hash = '\\x00'",
        "delete from audit_head",
        "truncate audit_event",
    ],
)
def test_the_job_role_appends_alone(world, statement):
    with world.database.job.begin() as connection, pytest.raises(DBAPIError) as refusal:
        connection.exec_driver_sql(statement)
    assert refusal.value.orig.pgcode == "42501"


def test_events_leave_as_json_lines_and_as_cef(world):
    with world.database.job.begin() as connection:
        hostile = 'a|b=c\\d\ne"'
        audit.record(connection, hostile, "export.deny", "alpha", {"why": hostile})
        chain.link(connection)
    with world.database.job.begin() as connection:
        lines = [
            json.loads(line) for line in export.lines(connection, NOW.replace(year=2000), "jsonl")
        ]
        cef = list(export.lines(connection, NOW.replace(year=2000), "cef"))
    assert [line["id"] for line in lines] == list(range(1, 12))
    assert [line["position"] for line in lines] == list(range(1, 12))
    assert lines[-1]["actor"] == hostile
    assert cef[-1].startswith("CEF:0|Vigilo|Vigilo Executive|1|export.deny|export.deny|7|rt=")
    assert r"suser=a|b\=c\\d\ne" in cef[-1]
    assert all("\n" not in line for line in cef)
