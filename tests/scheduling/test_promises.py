"""Sentences that promise that something goes on by itself: each has a test that leaves it alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from scheduling import night
from scheduling.context import ScheduleContext
from storage.context import job_in
from storage.snapshot.tables import SNAPSHOT_TABLES
from tests.conftest import TODAY
from tests.served import ROOT
from tests.world import World
from web.first_run import steps

PROMISE = re.compile(
    r"(?<!workspace )by (?:itself|themselves)\b|need not stay|goes on without you|as soon as it can"
    r"|figures follow|follow behind|it will be in|made up, in order|tries again|goes on with the next",
    re.IGNORECASE,
)
PLACES = (
    "web/**/*.html", "web/**/*.py", "api/**/*.py", "layouts/**/*.py", "scheduling/*.py", "exports/**/*.py",
    "ingest/**/*.py", "assets/page/**/*.js", "deploy/nginx.conf",
)  # fmt: skip
WEEK, EXPORTS = "tests/scheduling/test_week.py", "tests/exports"
LAWS = "tests/ingest/pulling/laws"
SOURCES = f"{LAWS}/test_by_itself.py::test_a_source_is_read_first_and_again_without_anybody"
OFF = f"{WEEK}::test_a_program_that_was_off_makes_every_missed_day_in_order_once_and_says_so"
AGAIN = f"{WEEK}::test_a_workspace_that_fails_is_tried_again_and_mailed_once_a_try"
MADE_AGAIN = "tests/ingest/desk/test_desk.py::test_the_snapshots_of_touched_days_are_made_again"
SHOWN_BY = {
    "starts by itself; you need not stay": (
        f"{EXPORTS}/work/test_restarted_web.py::test_an_export_outlives_the_web_process"
    ),
    "You can leave; it will be in Exports.": (
        "tests/site/test_workflows.py::test_an_export_survives_a_reload_and_is_listed"
    ),
    "goes on without you, and the link comes by mail": (
        f"{EXPORTS}/work/test_mails.py::test_smtp_down_for_an_hour_and_back_every_mail_arrives_once"
    ),
    "{{ begins }} {{ time_zone }}, by itself": f"{WEEK}::test_a_week_left_alone_has_a_week_of_snapshots",
    "the days are made up, in order": OFF,
    "it is made up as soon as it can be": OFF,
    "It is tried again by itself": AGAIN,
    "It stays up to date by itself": SOURCES,
    "they stay up to date by themselves": SOURCES,
    "the first one begins by itself": SOURCES,
    "limit is reached; it goes on by itself": (
        "tests/ingest/pulling/test_github.py::test_a_long_wait_ends_the_run_and_the_next_goes_on"
    ),
    "Older days follow behind": (
        "tests/scheduling/test_promises.py::test_after_the_first_figures_the_older_days_come"
    ),
    "figures follow in a moment": MADE_AGAIN,
    "The figures follow in a moment": MADE_AGAIN,
    "the figures follow with the next snapshot": MADE_AGAIN,
    "This page tries again by itself": (
        "tests/runbook/test_nginx.py::test_while_no_process_serves_people_see_words"
    ),
    "A night that broke off goes on with the next run": (
        "tests/storage/snapshot/test_broken_off.py"
    ),
}  # fmt: skip
"""The tests, by a part of the sentence."""


def sentences() -> list[tuple[str, str]]:
    """Lines that people read and that promise something, with their files."""
    told = []
    for pattern in PLACES:
        for path in ROOT.glob(pattern):
            source = path.read_text(encoding="utf-8")
            if path.suffix == ".py":
                source = re.sub(r'""".*?"""', "", source, flags=re.DOTALL)
            lines = re.sub(r'"\s*\n\s*f?"', "", source).splitlines()
            shown = [line for line in lines if not line.lstrip().startswith(("#", "//", "*", "/*"))]
            told += [(path.name, line.strip()) for line in shown if PROMISE.search(line)]
    return told


def test_every_promise_has_its_test():
    for file, line in sentences():
        for promise in PROMISE.finditer(line):
            around = line[max(0, promise.start() - 120) : promise.end() + 120]
            assert any(known in around for known in SHOWN_BY), f"{file}: {around}"


@pytest.mark.parametrize("promise", SHOWN_BY)
def test_every_promise_is_made_and_its_test_is_there(promise):
    assert any(promise in line for _, line in sentences())
    file, _, name = SHOWN_BY[promise].partition("::")
    source = (ROOT / file).read_text(encoding="utf-8")
    assert f"def {name}(" in source if name else "def test_" in source


def test_after_the_first_figures_the_older_days_come(database, settings):
    world = World(database, settings)
    alpha = world.workspace("alpha")
    first = TODAY - timedelta(days=90)
    days = [first + timedelta(days=n) for n in range(0, 90, 5)]
    rows = [f"alpha,{day},{day}T09:00:00Z,successful,production" for day in days]
    file = "\n".join(["workspace,key,completed_at,outcome,environment", *rows])
    told = steps.load_file(
        database, "alpha", "deployments.csv", file.encode(), "", "alice@x.example"
    )
    assert told.written == len(days)
    steps.begin_figures(database, [alpha], "alice@x.example")
    night.run_requested(ScheduleContext(database, settings))
    table = SNAPSHOT_TABLES[0].name
    with job_in(database.job, alpha) as connection:
        query = text(f"select min(snapshot_date), max(snapshot_date) from {table}")
        oldest, newest = connection.execute(query).one()
        marks = connection.execute(text("select count(*) from snapshot_due")).scalar()
    assert oldest <= first
    assert newest == TODAY - timedelta(days=1)
    assert marks == 0, "nothing is left to be done"
