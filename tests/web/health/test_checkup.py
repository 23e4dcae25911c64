"""Harm of every kind is found, and what to type is said."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import psycopg2
import pytest
from sqlalchemy import create_engine, text

from settings import load
from storage import schema
from storage.database import Database, connect
from tests.conftest import TODAY, superuser
from tests.served import ROOT
from tests.webworld import API, make
from web.health import checkup, structure, surroundings, work

HARM = {
    "drop policy job_all on incident": (
        "policies", "there is no policy job_all on incident", "create policy job_all on public.incident",
    ),
    "alter table incident disable row level security": (
        "row-level security", "security of incident", "alter table incident enable row level security",
    ),
    "alter table incident no force row level security": (
        "row-level security", "security of incident", "alter table incident force row level security",
    ),
    "alter role vigilo_web bypassrls": ("roles", "vigilo_web", "alter role \"vigilo_web\" nosuperuser"),
    "alter role vigilo_job superuser": ("roles", "vigilo_job", "nosuperuser nobypassrls"),
    "alter role vigilo_definer login": ("roles", "vigilo_definer can log in", "nologin"),
    "alter function vigilo.my_workspaces() owner to vigilo_owner": (
        "function owners", "vigilo.my_workspaces() is vigilo_owner's", "owner to \"vigilo_definer\"",
    ),
    "alter function vigilo.my_workspaces() reset all": (
        "function owners", "search path", "set search_path = pg_catalog, public,",
    ),
    "revoke select on incident from vigilo_web": (
        "rights", "vigilo_web lacks select on incident", "grant select on incident to \"vigilo_web\";",
    ),
    "revoke all on incident from vigilo_job": (
        "rights", "vigilo_job lacks select, insert, update, delete on incident",
        "grant select, insert, update, delete on incident",
    ),
    "revoke usage on schema vigilo from vigilo_web": (
        "rights", "vigilo_web lacks usage on schema vigilo",
        "grant usage on schema vigilo to \"vigilo_web\";",
    ),
    "update schema_version set version_num = '0012'": (
        "schema", "the database is at 0012", "flask --app app db upgrade",
    ),
    "update schema_version set version_num = '9999'": (
        "schema", "which a newer release has made", "Deploy that release",
    ),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARM)
def test_harm_to_the_structure_stops_serving(database, harm):
    brief, detail, remedy = HARM[harm]
    with superuser(database).connect() as connection:
        assert list(structure.findings(connection, database.roles)) == []
        connection.exec_driver_sql(harm)
        problems = list(structure.findings(connection, database.roles))
        connection.rollback()
    assert problems
    assert all(problem.must_not_serve for problem in problems)
    assert {problem.brief for problem in problems} == {brief}
    assert detail in problems[0].detail
    assert remedy in problems[0].remedy


WAITING = {
    "insert into export_job (id, user_id, params, format, scope, created_at)"
    " select gen_random_uuid(), id, '{}', 'pdf', '{a}', now() - interval '1 h' from app_user limit 1": (
        "exports", "1 wait, the longest for 60 minutes", "flask --app app worker",
    ),
    "insert into mail_outbox (id, recipient, subject, text, html, created_at, error) values"
    " (gen_random_uuid(), 'a@x.example', '', '', '', now() - interval '1 hour', 'no <a@x.example>')": (
        "mails", "the server's answer: no <(address)>", "VIGILO_SMTP_URL",
    ),
    "insert into mail_outbox (id, recipient, subject, text, html, state) values"
    " (gen_random_uuid(), 'a@x.example', '', '', '', 'failed')": (
        "mails", "given up", "Your exports",
    ),
}  # fmt: skip


@pytest.mark.parametrize("harm", WAITING)
def test_work_that_waits_is_found_and_does_not_stop_serving(database, settings, harm):
    make(database, settings)
    brief, detail, remedy = WAITING[harm]
    with superuser(database).connect() as connection:
        assert list(work.findings(connection, settings)) == []
        connection.execute(text(harm.replace(":", "\\:")))
        (problem,) = work.findings(connection, settings)
        connection.rollback()
    assert (problem.brief, problem.must_not_serve) == (brief, False)
    assert detail in problem.detail
    assert remedy in problem.remedy


def test_a_night_that_was_missed_is_found_with_its_days(database, settings):
    make(database, settings)
    later = settings.model_copy(update={"today": TODAY + timedelta(days=2)})
    with database.job.connect() as connection:
        (problem,) = work.findings(connection, later)
    assert problem.detail == f"missing: {TODAY}, {TODAY + timedelta(days=1)}"
    assert "schedule run" in problem.remedy


def test_a_clock_that_is_an_hour_off_is_found(database, monkeypatch):
    class Late(surroundings.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - timedelta(hours=1)

    with database.web.connect() as connection:
        assert list(surroundings.clock(connection)) == []
        monkeypatch.setattr(surroundings, "datetime", Late)
        (problem,) = surroundings.clock(connection)
    assert "+3,600 s" in problem.detail


def test_servers_that_are_away_and_folders_that_are_full_are_found(settings, tmp_path, monkeypatch):
    away = settings.model_copy(
        update={
            "smtp_url": "smtp://127.0.0.1:1",
            "redis_url": "redis://127.0.0.1:1",
            "backup_dir": tmp_path / "gone",
        }
    )
    usage = SimpleNamespace(total=10**12, free=10**8)
    monkeypatch.setattr(surroundings.shutil, "disk_usage", lambda _: usage)
    problems = list(surroundings.findings(away))
    assert [problem.brief for problem in problems] == ["disk", "disk", "mail server", "Redis"]
    assert "0.1 GB are free" in problems[0].detail
    assert "can not be written" in problems[1].detail
    for away in problems[2:]:
        assert "refused" in away.detail


def test_everything_of_a_whole_installation_is_well(database, settings):
    make(database, settings)
    assert checkup.of_everything(lambda: database, settings) == []


def test_a_database_that_is_away_is_one_finding(tmp_path):
    gone = load(data_dir=tmp_path, database_url="postgresql://w@127.0.0.1:1/x", secret_key="x" * 40)
    database = connect(gone)
    (problem,) = checkup.of_the_database(lambda: database, gone)
    assert (problem.brief, problem.must_not_serve) == ("database", True)
    assert "Connection refused" in problem.detail


ANSWERS = [
    ("FATAL:  sorry, too many clients already", "pg_stat_activity"),
    ('FATAL:  too many connections for role "vigilo_job"', "connection limit -1"),
    (
        'FATAL:  database "vigilo" is not currently accepting connections',
        "allow_connections true",
    ),
    ("FATAL:  remaining connection slots are reserved for roles", "max_connections"),
    ('FATAL:  password authentication failed for user "vigilo_web"', "userlist.txt"),
    ("FATAL:  SASL authentication failed", "VIGILO_DATABASE_URL"),
    ('FATAL:  database "vigilo" does not exist', "Restore"),
    ("FATAL:  the database system is starting up", "Wait a moment"),
    ("FATAL:  the database system is not yet accepting connections", "Wait a moment"),
    (
        'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "vigilo_web"',
        "pg_reload_conf();",
    ),
    ('FATAL:  role "vigilo_web" is not permitted to log in', "alter role NAME login;"),
    ('could not write to file "pg_wal/xlogtemp.7": No space left on device', "Make room"),
    ('could not translate host name "db" to address', "the name server"),
    ("server does not support SSL, but SSL was required", "sslmode of VIGILO_DATABASE_URL"),
    ("FATAL:  no such database: vigilo", "deploy/pgbouncer.ini"),
    ('FATAL:  permission denied for database "vigilo"', "grant connect on database vigilo"),
    ("permission denied for function readable_workspace", "Give back the right"),
    ('could not load library "plpgsql.so": undefined symbol', "Restart the server"),
    ("server closed the connection unexpectedly", "behind pgbouncer"),
    ("connection failed: timeout expired", "frozen"),
    ("connection failed: Connection refused", "pg_isready"),
]
"""Words of a server, and a part of what is told to do."""


@pytest.mark.parametrize(("words", "remedy"), ANSWERS)
def test_the_remedy_is_for_what_the_server_answered(tmp_path, words, remedy):
    settings = load(data_dir=tmp_path)

    def away() -> Database:
        raise psycopg2.OperationalError(words)

    (problem,) = checkup.of_the_database(away, settings)
    assert remedy in problem.remedy
    assert "{" not in problem.remedy


def test_a_pgbouncer_that_has_just_failed_to_sign_in_is_asked_twice(tmp_path, monkeypatch):
    """pgbouncer refuses the first one after its database is back, and tries again because of that one."""
    monkeypatch.setattr(checkup, "AGAIN_SECONDS", 0.0)
    hung_up = "server closed the connection unexpectedly"
    answers = [hung_up, hung_up, "FATAL: something else"]  # between the two the job role is asked

    def away() -> Database:
        raise psycopg2.OperationalError(answers.pop(0))

    problems = checkup.of_everything(away, load(data_dir=tmp_path))
    assert "something else" in problems[0].detail


def test_doctor_says_of_a_database_that_is_away_what_to_do_and_shows_no_traceback(tmp_path):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    own = {
        "VIGILO_DATA_DIR": str(tmp_path),
        "VIGILO_DATABASE_URL": "postgresql://w@127.0.0.1:1/x",
        "VIGILO_JOB_DATABASE_URL": "postgresql://j@127.0.0.1:1/x",
    }
    command = [sys.executable, "-m", "flask", "--app", "app", "doctor"]
    done = subprocess.run(command, cwd=ROOT, env=kept | own, capture_output=True, text=True)
    assert done.returncode == 1
    first, remedy = done.stdout.splitlines()[:2]
    assert first.startswith("database: ")
    assert "Connection refused" in first
    assert remedy.strip() == "Start the server (pg_isready), or set VIGILO_DATABASE_URL right."
    assert done.stderr == ""


def test_a_web_process_does_not_serve_from_a_schema_of_a_newer_release(database, settings):
    web = make(database, settings)
    browser = web.browser()
    assert browser.get("/readyz").status_code == 200
    head = schema.head()
    with superuser(database).begin() as connection:
        connection.execute(text("update schema_version set version_num = '9999'"))
    try:
        told = browser.get("/readyz")
        assert (told.status_code, told.text) == (503, "not ready\nschema\n")
    finally:
        with superuser(database).begin() as connection:
            connection.execute(text("update schema_version set version_num = :v"), {"v": head})


def test_a_request_to_a_process_of_another_release_is_answered_and_told_to_wait(database, settings):
    web = make(database, settings)
    alice = web.sign_in("alice")
    assert alice.get(API).status_code == 200
    with superuser(database).begin() as connection:
        connection.execute(text("alter table workspace rename column snapshot_day to last_day"))
    try:
        told = alice.get(API)
        assert (told.status_code, told.json["code"]) == (503, "upgrading")
    finally:
        with superuser(database).begin() as connection:
            connection.execute(text("alter table workspace rename column last_day to snapshot_day"))


def test_a_database_that_takes_no_changes_is_found(database, settings):
    make(database, settings)
    name = database.job.url.database
    with superuser(database).connect() as connection:
        connection.exec_driver_sql(f"alter database {name} set default_transaction_read_only = on")
        connection.commit()
        own = connect(settings)
        try:
            (problem,) = checkup.of_the_database(lambda: own, settings)
        finally:
            own.close()
            connection.exec_driver_sql("set default_transaction_read_only = off")
            connection.exec_driver_sql(f"alter database {name} reset default_transaction_read_only")
            connection.commit()
    assert (problem.brief, problem.must_not_serve) == ("read-only", True)
    assert "reset default_transaction_read_only;" in problem.remedy
    assert checkup.of_the_database(lambda: database, settings) == []


@pytest.mark.parametrize("whose", ["role vigilo_job", "role vigilo_job in database {name}"])
def test_a_limit_of_time_that_somebody_gave_is_taken_off_by_what_is_told(database, settings, whose):
    make(database, settings)
    name = database.job.url.database
    with superuser(database).connect() as connection:
        connection.exec_driver_sql(f"alter {whose.format(name=name)} set statement_timeout = '1ms'")
        connection.commit()
        own = connect(settings)
        try:
            problems = checkup.of_the_database(lambda: own, settings)
        finally:
            own.close()
        (problem,) = problems
        connection.exec_driver_sql(problem.remedy.partition("   (")[0])
        connection.commit()
    assert (problem.brief, problem.must_not_serve) == ("job role", True)
    assert "statement timeout" in problem.detail
    assert "reset statement_timeout;" in problem.remedy
    assert checkup.of_the_database(lambda: database, settings) == []


@pytest.fixture
def broken(database):
    """The owner's engine, and a table whose security is put back afterwards."""
    engine = create_engine(database.owner.url)
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table vendor force row level security")
    engine.dispose()


def test_doctor_exits_1_and_says_what_to_type(database, settings, broken):
    web = make(database, settings)
    with web.app.app_context():
        runner = web.app.test_cli_runner()
        well = runner.invoke(args=["doctor"])
        assert (well.exit_code, well.output) == (0, "All is well.\n")
        with broken.begin() as connection:
            connection.exec_driver_sql("alter table vendor no force row level security")
        ill = runner.invoke(args=["doctor"])
    assert ill.exit_code == 1
    assert "alter table vendor force row level security;" in ill.output
    told = web.browser().get("/readyz")
    assert (told.status_code, told.text) == (503, "not ready\nrow-level security\n")
