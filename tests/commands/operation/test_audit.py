"""``audit`` from the command line: whole or not, and every event as a line."""

from __future__ import annotations

import json

import pytest

from app import create_app
from storage import audit
from tests.conftest import superuser


@pytest.fixture
def run(database, settings):
    """Runs a command of the installation, which has two events."""
    for number in range(2):
        with database.job.begin() as connection:
            audit.record(connection, "a@x.example", "member.grant", "alpha", {"n": number})
    app = create_app(settings, database)

    def typed(*words: str):
        with app.app_context():
            return app.test_cli_runner().invoke(args=["audit", *words])

    return typed


def test_a_whole_audit_is_said_to_be_whole(run):
    assert "The audit is whole: 2 events, signed 0 times" in run("verify").output


def test_a_changed_event_is_told_and_the_exit_code_is_1(run, database):
    run("verify")
    with superuser(database).begin() as connection:
        connection.exec_driver_sql("update audit_event set actor = 'x' where id = 2")
    done = run("verify")
    assert (done.exit_code, done.output) == (1, "changed: event 2\n")


def test_events_are_printed_since_a_day(run):
    lines = run("export").output.splitlines()
    assert [json.loads(line)["details"] for line in lines] == [{"n": 0}, {"n": 1}]
    assert run("export", "--since", "2999-01-01", "--format", "cef").output == ""
