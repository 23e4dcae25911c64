"""Loading the demo organisation: refused, interrupted, twice at once, by the command."""

from __future__ import annotations

import csv
import shutil
import tempfile
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

import demo
from aggregators.records.demo import Window
from aggregators.vocabulary.period import Ask
from commands.tree import DEMO
from demo import people
from demo.generate import records as generated
from demo.stories import STORIES, teams
from ingest.importer import load as import_files
from ingest.kinds import KINDS
from reading.dashboard import read
from settings import load as load_settings
from storage import embedded
from storage.context import job_in
from storage.database import connect
from storage.snapshot import job
from tests.conftest import TODAY
from tests.deep import all_but, long
from tests.demo.counted import LAST, count, viewer
from tests.demo.test_demo_stories import ToldStory


def test_the_importer_finds_every_record_unchanged(organisation, settings, tmp_path):
    window = Window(LAST - timedelta(days=399), LAST, settings.zone)
    named = {k.table.name: k for k in KINDS.values() if k.tenant}
    for team in (t for t in STORIES if t.slug in ("edge-network", "lodz-logistics")):
        rows = generated(team, window, 1)
        assert {*rows, "roll_back", "asset_retirement", "framework_control"} == set(named)
        for table in rows:
            kind = named[table]
            path = tmp_path / f"{team.slug}-{table}.csv"
            write_csv(path, team.slug, rows[table])
            (outcome,) = import_files(organisation, kind, [path])
            assert (outcome.rejects, outcome.problem) == ([], None)
            assert outcome.unchanged == outcome.read == len(rows[table])


def write_csv(path, slug: str, rows: list[dict]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["workspace", *rows[0]])
        out.writerows([slug, *map(cell, row.values())] for row in rows)


def cell(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else str(value)


def test_it_refuses_a_database_that_holds_workspaces(organisation, settings):
    before = count(organisation)
    with pytest.raises(demo.NotEmpty, match="nothing was changed"):
        demo.load(organisation, settings)
    assert count(organisation) == before
    assert min(before) > 0


def test_interrupted_among_the_records_it_leaves_nothing(database, settings):
    def stop(done, total, what):
        assert (done, total, what) == (1, 4, "records of Payments")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.load(database, settings, 2, 40, progress=stop)
    assert demo.is_empty(database)
    assert count(database) == [0, 0]
    demo.load(database, settings, 2, 40)


def test_interrupted_among_the_snapshots_it_says_how_to_go_on(database, settings):
    def stop(done, total, what):
        if what == "snapshots of Payments":
            raise KeyboardInterrupt

    with pytest.raises(demo.Interrupted) as caught:
        demo.load(database, settings, 2, 40, progress=stop)
    first = LAST - timedelta(days=39)
    assert f"snapshot backfill --from {first} --to {LAST}" in str(caught.value)
    job.backfill(database, first, LAST, settings)
    seen = read(database, viewer(database, "alice"), Ask(28), settings)
    assert {c.figures["deployments"].evidence.days_seen for c in seen.scorecard("dora").cards} == {
        28
    }


def test_of_two_loads_at_once_one_is_refused(database, settings):
    outcomes = []

    def attempt():
        try:
            outcomes.append(type(demo.load(database, settings, 2, 40)))
        except demo.NotEmpty as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) == {demo.DemoAccounts, demo.NotEmpty}
    assert count(database)[0] == 2


@long("tests/demo/test_load.py::test_the_importer_finds_every_record_unchanged")
def test_more_workspaces_and_another_zone(database, settings):
    west = load_settings(
        data_dir=settings.data_dir,
        today=TODAY,
        time_zone="America/Los_Angeles",
        demo_password="a-demo-password",
    )
    with database.owner.begin() as connection:
        connection.execute(text("update installation set time_zone = :z"), {"z": west.time_zone})
    try:
        demo.load(database, west, 15, 200, seed=5)
        seen = read(database, viewer(database, "alice"), Ask(28), west)
    finally:
        with database.owner.begin() as connection:
            connection.execute(text("update installation set time_zone = 'UTC'"))
    assert [t.slug for t in teams(15, 5) if t.slug not in seen.scope.slugs] == ["legacy-portal"]
    told = ToldStory(LAST, 5, west.time_zone, 15)
    assert [a.workspace for a in seen.answers] == ["payments", "identity", "iot-gateway", "search"]
    assert told.mttr_by_sprint("search")[-1][0] >= 3


@long("tests/demo/test_load.py::test_the_command_loads_and_says_how_to_sign_in")
@pytest.mark.parametrize("days", all_but([5], [1, 5, 11, 30]))
def test_a_short_history_loads_too(database, settings, days):
    demo.load(database, settings, 12, days)
    with job_in(database.job, 9) as connection:
        rows = connection.execute(
            text("select count(*) from workspace_usage_snapshot")
        ).scalar_one()
    assert rows == days - sum(n < days for n in (10, 11, 12))


@pytest.fixture
def runner(database, settings):
    app = Flask(__name__)
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(DEMO)
    with app.app_context():
        yield app.test_cli_runner()


def test_the_command_loads_and_says_how_to_sign_in(runner, database):
    done = runner.invoke(args=["demo", "load", "--workspaces", "2", "--days", "30", "--seed", "4"])
    assert done.exit_code == 0, done.output
    assert "2 workspaces with 30 days are loaded." in done.output
    assert all(email in done.output for email in people.EMAILS)
    assert "a-demo-password" in done.output
    assert count(database)[0] == 2
    again = runner.invoke(args=["demo", "load"])
    assert again.exit_code == 1
    assert "holds workspaces already" in again.output
    assert count(database)[0] == 2


@pytest.mark.parametrize("wrong", [["--workspaces", "10001"], ["--days", "0"], ["--seed", "x"]])
def test_the_command_names_the_option_that_is_wrong(runner, wrong):
    done = runner.invoke(args=["demo", "load", *wrong])
    assert done.exit_code == 2
    assert wrong[0] in done.output


@long("tests/commands/test_tree.py::test_without_a_schema_a_command_says_how_to_make_it")
def test_without_a_schema_the_command_says_what_makes_one(settings):
    folder = Path(tempfile.mkdtemp(prefix="vigilo-test-"))
    elsewhere = settings.model_copy(update={"data_dir": folder})
    database = connect(elsewhere)
    app = Flask(__name__)
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=elsewhere)
    app.cli.add_command(DEMO)
    try:
        with app.app_context():
            done = app.test_cli_runner().invoke(args=["demo", "load"])
        assert done.exit_code == 1
        assert "db upgrade" in done.output
    finally:
        database.close()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
