"""Page of the nightly snapshot, and the lines of /readyz."""

from __future__ import annotations

import re

from scheduling import night
from scheduling.context import ScheduleContext
from storage.scheduled import runs
from storage.scheduled.runs import SNAPSHOT
from tests.webworld import DAY

PATH = "/platform/nights"


def take(client):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(PATH).text)
    assert token
    return client.post(PATH, data={"csrf_token": token[1]}, follow_redirects=True)


def test_a_platform_admin_takes_a_snapshot_and_reads_how_it_went(web):
    alice = web.sign_in("alice")
    assert "None has been taken by the program yet." in alice.get(PATH).text
    assert "Waiting" in take(alice).text
    context = ScheduleContext(web.world.database, web.world.settings)
    assert night.run_requested(context) == 1
    page = alice.get(PATH).text
    assert "asked for by alice@x.example" in page
    assert re.search(r"\d+ snapshot days written in 2 workspaces", page)
    with web.world.database.job.connect() as connection:
        (run,) = runs.newest(connection, SNAPSHOT)
    assert (run.day, run.state, run.done, run.total) == (DAY, "done", 2, 2)


def test_the_page_says_which_nights_are_missing(web):
    web.world.sql("update snapshot_run set day = day - 3")
    page = web.sign_in("alice").get(PATH).text
    assert "Missed: 20 Nov 2026 to 22 Nov 2026 (3 days), due at 00:10 UTC." in page


def test_others_may_not_ask_for_one(web):
    bob = web.sign_in("bob")
    answer = bob.get(PATH)
    assert answer.status_code == 403
    assert "platform_admin_required" in answer.text
    token = bob.get("/ws/alpha/admin/members")
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', token.text)
    assert bob.post(PATH, data={"csrf_token": csrf[1]}).status_code == 403


def test_readyz_tells_the_last_night_and_what_failed(web):
    assert web.browser().get("/readyz").text == f"ready\nsnapshot: {DAY}\n"
    with web.world.database.job.begin() as connection:
        run = runs.begin(connection, SNAPSHOT, DAY, 2)
        runs.finish(connection, run, "one of two", {"beta": "broken"}, failed=True)
    told = web.browser().get("/readyz").text.splitlines()
    assert re.fullmatch(rf"last run: {DAY} failed \S+Z, took \d+\.\d s, failed in 1", told[2]), told
    assert "beta" not in " ".join(told)
