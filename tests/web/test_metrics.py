"""/metrics adds up over processes, the log tells of each request once and of nobody by name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from storage.context import current, job_in
from tests.conftest import superuser
from tests.deep import long
from tests.served import ServedWeb, signed_in
from tests.storage import one_of_each
from tests.webworld import API, EXECUTIVE, make
from tests.world import World
from web.server import logs

OF_WHAT_COMES_IN = re.compile(r"vigilo_(quarantine_[pw]|sources|source_turn|source_failures)")
A_RUN = """
insert into task_run (task, day, state, started_at, finished_at) values
    ('snapshot', current_date, 'done', now(), now() + interval '42.5 seconds')
"""


@pytest.fixture
def served(database, settings, tmp_path) -> Iterator[ServedWeb]:
    make(database, settings)
    web = ServedWeb.over(database, tmp_path, workers=2)
    web.start()
    yield web
    web.kill()


def counted(web: ServedWeb, metric: str) -> float:
    text = requests.get(f"{web.address}/metrics").text
    found = re.search(rf"^{re.escape(metric)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_processes_add_up_and_each_request_is_one_line(served):
    browser = signed_in(served)
    for _ in range(10):
        assert requests.get(f"{served.address}{API}").status_code == 401
        assert browser.get(f"{served.address}{API}").ok
        browser.close()
    name = 'vigilo_requests_total{{route="{}",status="{}"}}'
    told = {counted(served, name.format(API, 401)) for _ in range(8)}
    assert told == {10.0}
    assert counted(served, name.format(API, 200)) == 10.0
    assert counted(served, "vigilo_database_up") == 1
    assert counted(served, "vigilo_snapshot_days_missing") == 0
    assert counted(served, "vigilo_mail_oldest_seconds") == 0
    lines = [json.loads(line) for line in served.output.read_text().splitlines()]
    of_the_api = [line for line in lines if line.get("route") == API]
    assert len(of_the_api) == 20
    assert {line["outcome"] for line in of_the_api} == {"denied", "answered"}
    answered = [line for line in of_the_api if line["status"] == 200]
    assert {line["account_id"] for line in answered} == {1}
    assert all(line["seconds"] > 0 for line in answered)
    assert len({line["request_id"] for line in of_the_api}) == 20
    assert "alice" not in served.output.read_text()


@long("tests/web/test_metrics.py::test_processes_add_up_and_each_request_is_one_line")
def test_what_comes_in_is_told_alike_by_every_process(served, database, settings):
    world = World(database, settings)
    with database.job.connect() as connection:
        for id, slug in connection.execute(text("select id, slug from workspace")).all():
            one_of_each.fill(world, id, slug)
    world.sql(
        "insert into source (kind, name, made_by, state, failures, last_success_at, enabled)"
        " select 'github', 'Name of it', 1, s, f, now() - interval '2 hours', e from (values"
        " ('healthy', 0, true), ('failing', 4, true), ('failing', 9, false)) v (s, f, e)"
    )
    world.sql("update workspace set is_active = false where slug = 'beta'")
    with database.job.connect() as connection:
        first = connection.execute(text("select min(id) from source")).scalar_one()
    texts = [requests.get(f"{served.address}/metrics").text for _ in range(6)]
    told = {tuple(filter(OF_WHAT_COMES_IN.match, text.splitlines())) for text in texts}
    assert told == {
        (
            "vigilo_quarantine_parts 1.0",
            "vigilo_quarantine_workspaces 1.0",
            'vigilo_sources{state="new"} 0.0',
            'vigilo_sources{state="healthy"} 1.0',
            'vigilo_sources{state="waiting"} 0.0',
            'vigilo_sources{state="failing"} 1.0',
            'vigilo_sources{state="paused"} 1.0',
            f'vigilo_source_turn_seconds{{kind="github",source="{first}"}} 900.0',
            f'vigilo_source_turn_seconds{{kind="github",source="{first + 1}"}} 900.0',
            f'vigilo_source_failures{{kind="github",source="{first}"}} 0.0',
            f'vigilo_source_failures{{kind="github",source="{first + 1}"}} 4.0',
        )
    }
    assert "Name of it" not in texts[0]
    if promtool := shutil.which("promtool"):
        words = [promtool, "check", "metrics"]
        checked = subprocess.run(words, input=texts[0], capture_output=True, text=True, check=False)
        of_whole_days = re.compile(r"vigilo_snapshot_(age_days|days_missing) use base unit")
        assert [line for line in checked.stderr.splitlines() if not of_whole_days.match(line)] == []
    ages = re.findall(r"^vigilo_source_success_age_seconds{.*} (\S+)$", texts[0], re.MULTILINE)
    assert [float(age) // 3_600 for age in ages] == [2, 2]
    assert counted(served, "vigilo_quarantine_oldest_seconds") > 0


@long("tests/web/test_metrics.py::test_processes_add_up_and_each_request_is_one_line")
def test_the_seconds_of_a_night_are_those_of_its_run_in_every_process(served, database):
    with database.job.begin() as connection:
        connection.execute(text(A_RUN))
    assert {counted(served, "vigilo_snapshot_run_seconds") for _ in range(6)} == {42.5}


def test_quarantine_is_counted_for_the_job_alone_and_leaves_its_context(database, settings):
    world = make(database, settings).world
    one_of_each.fill(world, world.alpha, "a")
    with job_in(database.job, world.beta) as connection:
        assert connection.execute(text("select parts from vigilo.quarantined()")).scalar() == 1
        assert current(connection).workspace_id == str(world.beta)
    with database.web.connect() as connection, pytest.raises(ProgrammingError, match="permission"):
        connection.execute(text("select parts from vigilo.quarantined()"))


def test_a_database_with_an_older_schema_is_up(database, settings):
    client = make(database, settings).app.test_client()
    with superuser(database).connect() as connection:
        connection.exec_driver_sql("alter function vigilo.quarantined() rename to gone")
        connection.commit()
        told = client.get("/metrics").text
        connection.exec_driver_sql("alter function vigilo.gone() rename to quarantined")
        connection.commit()
    assert "vigilo_database_up 1.0" in told
    assert "vigilo_snapshot_days_missing" in told


def test_a_traceback_shows_no_row():
    cause = RuntimeError("duplicate key\nDETAIL:  Key (email)=(alice@x.example) already exists.")
    error = IntegrityError("insert", {"email": "alice@x.example"}, cause, hide_parameters=True)
    told = logs.traceback_without_values(error, None)
    assert "duplicate key" in told
    assert "alice" not in told


def test_a_library_that_tells_of_each_step_is_heard_where_something_is_wrong():
    program = (
        "import logging; from web.server import logs; logs.install_handler();"
        "named = logging.getLogger('fontTools.subset').isEnabledFor;"
        "print(named(logging.INFO), named(logging.WARNING))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout.split() == ["False", "True"], told.stderr


def test_pages_are_told_with_their_route(database, settings, caplog):
    web = make(database, settings)
    with caplog.at_level("INFO", logger="vigilo.request"):
        assert web.sign_in("alice").get(EXECUTIVE).status_code == 200
