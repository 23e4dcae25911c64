"""``demo load``: whole or not at all, careful with what is there, every story on the dashboard."""

from __future__ import annotations

import csv
import shutil
import tempfile
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

from aggregators.groups import dropped
from aggregators.period import Ask
from aggregators.read import NotPlatformAdmin, read
from auth import accounts
from settings import load as load_settings
from storage import demo, embedded, snapshots
from storage.commands.demo import demo as command
from storage.context import job_in
from storage.database import connect
from storage.demo import people
from storage.demo.generate import records as generated
from storage.demo.stories import STORIES, teams
from storage.demo.window import Window
from storage.records.importer import load as import_files
from storage.records.kinds import KINDS
from tests.conftest import TODAY, empty
from tests.storage.test_demo_stories import Told

LAST = TODAY - timedelta(days=1)


@pytest.fixture(scope="module")
def organisation(server, settings):
    empty(server)
    begun = time.monotonic()
    made = demo.load(server, settings)
    assert time.monotonic() - begun < 45
    assert made.password == settings.demo_password
    return server


@pytest.fixture(scope="module")
def dashboards(organisation, settings):
    alice = viewer(organisation, "alice")
    return {days: read(organisation, alice, Ask(days), settings) for days in (28, 90)}


@pytest.fixture(scope="module")
def told(settings) -> Told:
    return Told(LAST, 1, settings.time_zone, 12)


@pytest.fixture(params=[28, 90])
def shown(request, dashboards):
    return dashboards[request.param]


def viewer(database, who: str):
    account = accounts.by_email(database.job, f"{who}@demo.example")
    assert account is not None
    return account.viewer


def card(dashboard, domain: str, slug: str):
    return next(c for c in dashboard.scorecard(domain).cards if c.slug == slug)


def count(database) -> list[int]:
    """Workspaces, accounts, and the deployments of each workspace."""
    with database.job.connect() as connection:
        ids = connection.execute(text("select id from workspace order by id")).scalars().all()
        people_known = connection.execute(text("select count(*) from app_user")).scalar_one()
    found = [len(ids), people_known]
    for workspace_id in ids:
        with job_in(database.job, workspace_id) as connection:
            found += connection.execute(text("select count(*) from deployment")).scalars()
    return found


# The stories, as the page tells them


def test_the_four_answers_name_the_intended_workspaces(shown):
    found = {a.key: a for a in shown.answers}
    assert found["worst_change_failure_rate"].workspace == "payments"
    assert found["worst_change_failure_rate"].evidence["delta_points"] > 0.05
    lapse = found["closest_to_lapse"]
    assert (lapse.workspace, lapse.evidence["days"]) == ("identity", 4)
    assert [o["workspace"] for o in lapse.evidence["already_out"]] == ["edge-network"]
    assert found["expiring_certificates"].workspace == "iot-gateway"
    assert found["expiring_certificates"].evidence["share"] > 0.8
    assert found["mttr_climbing"].evidence["climbing"] == ["search"]


def test_failure_rates_are_those_counted_from_the_records(shown, told):
    for found in shown.scorecard("dora").cards:
        if found.slug == "notifications":
            continue  # three of its days have no snapshot
        evidence = found.figures["change_failure_rate"].evidence
        failed, ended = told.deployments(found.slug, shown.period.days)
        assert (evidence.numerator, evidence.denominator) == (failed, ended), found.slug


def test_payments_is_worst_and_hr_platform_is_below_those_with_enough(shown):
    cards = shown.scorecard("dora").cards
    assert cards[0].slug == "payments"
    hr = card(shown, "dora", "hr-platform").figures["change_failure_rate"]
    assert hr.low_sample
    assert cards[-1].slug == "hr-platform"


def test_searchs_sprints_are_those_counted_from_the_records(shown, told):
    answer = next(a for a in shown.answers if a.key == "mttr_climbing")
    counted = told.mttr_by_sprint("search")
    assert answer.evidence["resolved"] == [n for n, _ in counted]
    assert answer.evidence["mttr_seconds"] == pytest.approx([mean for _, mean in counted])


def test_certificates_are_those_counted_from_the_records(shown, told):
    for found in shown.scorecard("certificates").cards:
        for days in (7, 30, 90):
            figure = found.figures[f"within_{days}"]
            assert figure.value == told.expiring(found.slug, days), (found.slug, days)
    assert shown.scorecard("certificates").figures["expired"].value == 2


def test_only_data_platforms_soc2_has_the_chevron(shown):
    compliance = shown.scorecard("compliance")
    assert {
        (c.slug, group)
        for c in compliance.cards
        for group, figure in (c.figures["pass_rate"].by or {}).items()
        if dropped(figure, compliance.domain)
    } == {("data-platform", "SOC2")}


def test_pass_rates_are_those_counted_from_the_records(shown, told):
    for slug, framework in told.frameworks():
        figure = card(shown, "compliance", slug).figures["pass_rate"].by[framework]
        assert figure.value == pytest.approx(told.pass_rate(slug, framework)), (slug, framework)


def test_mobile_apps_set_up_no_framework(shown):
    assert not card(shown, "compliance", "mobile-apps").figures["pass_rate"].has_data


def test_notifications_has_missing_days(shown):
    evidence = card(shown, "dora", "notifications").figures["deployments"].evidence
    assert (evidence.days_seen, evidence.days_expected) == (
        shown.period.days - 3,
        shown.period.days,
    )


def test_budgets_and_burn(shown):
    figures = shown.scorecard("slos").figures
    assert (figures["exhausted"].value, figures["no_traffic"].value) == (1, 1)
    assert card(shown, "slos", "mobile-apps").figures["no_traffic"].value == 1
    assert figures["fastest_burn"].evidence.workspace == "edge-network"


def test_vendors_and_incidents(shown):
    vendors = shown.scorecard("vendors")
    assert [c.slug for c in vendors.cards[:2]] == ["lodz-logistics", "hr-platform"]
    assert vendors.figures["never_reviewed"].value == 1
    incidents = shown.scorecard("incidents")
    assert incidents.figures["oldest_open"].evidence.workspace == "edge-network"
    assert incidents.figures["oldest_open"].value > 100 * 86400
    covered = {c.slug: c.figures["postmortem_coverage"].value for c in incidents.cards}
    assert covered["checkout-us"] < 0.6


def test_the_figures_are_those_of_an_organisation_one_believes(shown):
    figures = {s.domain.key: s.figures for s in shown.scorecards}
    assert 0.05 < figures["dora"]["change_failure_rate"].value < 0.15
    assert 3600 < figures["dora"]["lead_time_for_changes"].value < 3 * 86400
    assert 1800 < figures["dora"]["mttr"].value < 86400
    assert 300 < figures["incidents"]["mtta"].value < 3600
    assert 1800 < figures["incidents"]["mttr"].value < 8 * 3600
    assert 0.9 < figures["slos"]["objectives_in_budget"].value < 1
    assert all(0.7 < f.value < 1 for f in figures["compliance"]["pass_rate"].by.values())


# Who may see what


def test_who_may_see_what(organisation, settings):
    def scope(who):
        return read(organisation, viewer(organisation, who), Ask(7), settings).scope

    assert set(scope("alice").slugs) == {t.slug for t in STORIES if t.is_active}
    assert scope("alice").left_out == {"inactive": ("Legacy portal",)}
    assert set(scope("carol").slugs) == {"search", "identity", "iot-gateway"}
    for who in ("bob", "dave"):
        with pytest.raises(NotPlatformAdmin):
            scope(who)


def test_another_region_is_left_out_when_residency_is_strict(organisation, settings):
    with organisation.owner.begin() as connection:
        connection.execute(text("update installation set strict_residency = true"))
    try:
        found = read(organisation, viewer(organisation, "alice"), Ask(7), settings).scope
        assert found.left_out["other_region"] == ("Checkout US",)
    finally:
        with organisation.owner.begin() as connection:
            connection.execute(text("update installation set strict_residency = false"))


def test_each_signs_in_with_the_password(organisation, settings):
    for email in people.EMAILS:
        assert accounts.authenticate(organisation.job, email, settings.demo_password)
        assert not accounts.authenticate(organisation.job, email, "another-password")


def test_a_password_is_made_up_once_and_for_its_owner_alone(tmp_path):
    made = people.password(None, tmp_path / "new")
    kept = tmp_path / "new" / "demo-password"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(made) >= 12
    assert people.password(None, tmp_path / "new") == made == kept.read_text()
    assert people.password("chosen-by-hand", tmp_path / "new") == "chosen-by-hand"
    assert people.password(None, tmp_path / "other") != made


# The records are such as the importer takes


def test_the_importer_finds_every_record_unchanged(organisation, settings, tmp_path):
    window = Window(LAST - timedelta(days=399), LAST, settings.zone)
    named = {k.table.name: k for k in KINDS.values() if k.tenant}
    for team in (t for t in STORIES if t.slug in ("edge-network", "lodz-logistics")):
        rows = generated(team, window, 1)
        assert set(rows) == set(named)
        for table, kind in named.items():
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


# Careful


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
    snapshots.backfill(database, first, LAST, settings)
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
    told = Told(LAST, 5, west.time_zone, 15)
    assert [a.workspace for a in seen.answers] == ["payments", "identity", "iot-gateway", "search"]
    assert told.mttr_by_sprint("search")[-1][0] >= 3


@pytest.mark.parametrize("days", [1, 5, 11, 30])
def test_a_short_history_loads_too(database, settings, days):
    demo.load(database, settings, 12, days)
    with job_in(database.job, 9) as connection:
        rows = connection.execute(
            text("select count(*) from workspace_usage_snapshot")
        ).scalar_one()
    assert rows == days - sum(n < days for n in (10, 11, 12))


# The command


@pytest.fixture
def runner(database, settings):
    app = Flask(__name__)
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(command)
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


@pytest.mark.parametrize("wrong", [["--workspaces", "1001"], ["--days", "0"], ["--seed", "x"]])
def test_the_command_names_the_option_that_is_wrong(runner, wrong):
    done = runner.invoke(args=["demo", "load", *wrong])
    assert done.exit_code == 2
    assert wrong[0] in done.output


def test_without_a_schema_the_command_says_what_makes_one(settings):
    folder = Path(tempfile.mkdtemp(prefix="vigilo-test-"))
    elsewhere = settings.model_copy(update={"data_dir": folder})
    database = connect(elsewhere)
    app = Flask(__name__)
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=elsewhere)
    app.cli.add_command(command)
    try:
        with app.app_context():
            done = app.test_cli_runner().invoke(args=["demo", "load"])
        assert done.exit_code == 1
        assert "db upgrade" in done.output
    finally:
        database.close()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
