"""Sessions that wait for locks, and pools that are used up, are told as what they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage.database import connect
from tests.conftest import superuser
from tests.served import until
from tests.storage.test_pgbouncer import bouncing
from tests.webworld import make
from web.health import checkup
from web.health.findings import HealthFinding
from web.health.waiting import locks, pools

PID = text("select pg_backend_pid()")


def named(url, name: str) -> Engine:
    return create_engine(url, poolclass=NullPool, connect_args={"application_name": name})


@contextmanager
def waiting(database, holder: Engine) -> Iterator[tuple[int, int]]:
    """The pids of a session that waits for a lock, and of the one that holds it."""
    pids: list[int] = []

    def wait() -> None:
        with named(database.job.url, "an import").connect() as connection:
            pids.append(connection.execute(PID).scalar_one())
            with pytest.raises(DBAPIError):
                connection.execute(text("lock table incident /* secret-value */"))

    with holder.connect() as held:
        held.execute(text("lock table incident in access exclusive mode /* secret-value */"))
        by = held.execute(PID).scalar_one()
        thread = Thread(target=wait)
        thread.start()
        try:
            with superuser(database).connect() as look:
                blocked = text("select pid from pg_locks where not granted and pid = any(:pids)")
                until(lambda: look.execute(blocked, {"pids": pids}).first())
            yield pids[0], by
        finally:
            with superuser(database).connect() as end:
                end.execute(text("select pg_terminate_backend(:pid)"), {"pid": pids[0]})
            thread.join()


def told(database) -> list[HealthFinding]:
    with database.job.connect() as connection:
        return list(locks.findings(connection))


def test_who_waits_for_whom_since_when_is_told_without_what_they_ask(database, monkeypatch):
    with waiting(database, named(database.job.url, "a night")) as (pid, by):
        assert told(database) == [], "a moment is no finding"
        monkeypatch.setattr(locks, "LONG_SECONDS", 0.0)
        (finding,) = told(database)
    assert finding.brief == "locks"
    assert not finding.must_not_serve
    assert f"pid {pid} (vigilo_job, an import) waits since " in finding.detail
    assert (
        f"for pid {by} (vigilo_job, a night), idle in transaction, whose transaction began at "
        in (finding.detail)
    )
    assert f"select pg_terminate_backend({by});" in finding.remedy
    assert "secret-value" not in str(finding)
    assert told(database) == []


def test_a_session_of_another_role_is_named_though_its_state_is_not_told(database, monkeypatch):
    monkeypatch.setattr(locks, "LONG_SECONDS", 0.0)
    holder = named(superuser(database).url, "psql")
    with waiting(database, holder) as (_, by):
        (finding,) = told(database)
    assert finding.detail.endswith(f"for pid {by} (postgres, psql)")


def test_a_lock_that_keeps_the_doctor_from_an_answer_is_told_beside(
    database, settings, monkeypatch
):
    make(database, settings)
    monkeypatch.setattr(locks, "LONG_SECONDS", 0.0)
    with superuser(database).connect() as admin:
        admin.exec_driver_sql("alter role vigilo_web set lock_timeout = '200ms'")
        admin.commit()
        own = connect(settings)
        try:
            with waiting(database, named(superuser(database).url, "psql")) as (pid, _):
                found = checkup.of_everything(lambda: own, settings, asks_address=False)
        finally:
            own.close()
            admin.exec_driver_sql("alter role vigilo_web reset lock_timeout")
            admin.commit()
    briefs = [finding.brief for finding in found]
    assert briefs[0] in ("database", "job role")
    assert "lock timeout" in found[0].detail
    assert [f"pid {pid} " in finding.detail for finding in found if finding.brief == "locks"] == [
        True
    ]


def test_a_pgbouncer_whose_one_connection_is_taken_is_not_a_database_that_is_away(
    database, settings, monkeypatch
):
    make(database, settings)
    monkeypatch.setattr(checkup, "AGAIN_SECONDS", 0.0)
    options = {"pool_mode": "session", "default_pool_size": 1, "query_wait_timeout": 1}
    with bouncing(database, settings, **options) as port, ExitStack() as stack:
        url = f"postgresql+psycopg2://vigilo_web@127.0.0.1:{port}/vigilo"
        engine = create_engine(url, poolclass=NullPool)
        own = dataclasses.replace(database, web=engine)
        assert checkup.of_the_database(lambda: own, settings) == []
        stack.enter_context(named(url, "another").connect()).execute(PID)
        (finding, *_) = checkup.of_everything(lambda: own, settings, asks_address=False)
    assert (finding.brief, finding.must_not_serve) == ("connections", True), str(finding)
    assert "pgbouncer has no connection free" in finding.detail
    assert "show pools;" in finding.remedy


def test_a_pgbouncer_whose_server_is_away_is_not_called_full(database, settings):
    with bouncing(database, settings) as port:
        url = f"postgresql+psycopg2://vigilo_job@127.0.0.1:{port}/nowhere"
        own = dataclasses.replace(database, web=create_engine(url, poolclass=NullPool))
        (finding,) = checkup.of_the_database(lambda: own, settings)
    assert finding.brief == "database"


def test_a_pgbouncer_that_takes_no_more_clients_is_told(database, settings):
    with bouncing(database, settings, max_client_conn=1) as port, ExitStack() as stack:
        url = f"postgresql+psycopg2://vigilo_web@127.0.0.1:{port}/vigilo"
        stack.enter_context(named(url, "another").connect()).execute(PID)
        own = dataclasses.replace(database, web=create_engine(url, poolclass=NullPool))
        (finding,) = checkup.of_the_database(lambda: own, settings)
    assert finding.brief == "connections"
    assert "max_client_conn" in finding.detail


def test_a_process_whose_own_connections_are_all_in_use_says_so(database, settings):
    web = make(database, settings)
    browser = web.browser()
    own = web.app.installation.database
    with ExitStack() as stack:
        while not pools.is_full(own):
            stack.enter_context(own.web.connect())
        answer = browser.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready\nconnections\n")
        (finding,) = checkup.of_the_database(lambda: own, settings)
    assert finding.brief == "connections"
    assert "all connections that this process may have are in use" in finding.detail
    until(lambda: browser.get("/readyz").status_code == 200)
