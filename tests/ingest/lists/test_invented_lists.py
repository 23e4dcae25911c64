"""Complete lists as people may really send them: each kind that has such lists, each oddity of a list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from ingest.desk.corrections import correct, merge, withdraw
from ingest.door.deliveries import accept, drain
from ingest.importer import load
from ingest.kept.upkeep import compact
from ingest.kinds import KINDS
from ingest.lists.complete import ListChanged, lacked_records, withdraw_records
from ingest.report import ImportOutcome
from storage.context import job_in
from tests.ingest.lists.conftest import CONFIRMED, HEADS, line
from tests.world import World

KINDS_LISTED = tuple(HEADS)
OF_RECORDS = tuple(kind for kind in HEADS if kind != "control-results")
HAND = "erin@x.example"
ROOT = Path(__file__).parents[3]


def lines(kind: str, keys: str, day: int = 1) -> list[str]:
    """A list of these keys; incidents begin a day apart, assets are assessed on one day."""
    steps = kind == "incidents"
    return [line(kind, key, ord(key) - 96 if steps else day) for key in keys]


@pytest.fixture
def begun(listing):
    """Tells a, b and c of a kind, as an ordinary file."""
    return lambda kind: listing(kind, lines(kind, "abc"), options=())


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_an_empty_list_withdraws_nothing_and_says_that_it_is_empty(begun, listing, standing, kind):
    begun(kind)
    done = listing(kind, [])
    assert (done.exit_code, f"holds no {kind}" in done.output) == (1, True)
    assert standing(kind) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_the_order_of_a_list_says_nothing(begun, listing, standing, kind):
    begun(kind)
    assert "1 " in listing(kind, lines(kind, "cb", 2)).output
    assert standing(kind) == ["b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
@pytest.mark.parametrize("parts", [("ab", "c"), ("c", "ab"), ("c", "a", "b")])
def test_a_list_that_is_cut_into_files_is_one_list(begun, listing, standing, kind, parts):
    begun(kind)
    for _ in range(2):
        listing(kind, *(lines(kind, part, 2) for part in parts))
        assert standing(kind) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_the_same_list_twice_withdraws_no_more(begun, listing, standing, kind):
    begun(kind)
    one = lines(kind, "bc", 2)
    listing(kind, one, one)
    again = listing(kind, one, one)
    assert "is to be" in again.output
    assert standing(kind) == ["b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_what_comes_back_unchanged_stands_again(begun, listing, standing, kind):
    begun(kind)
    listing(kind, lines(kind, "bc", 2))
    listing(kind, lines(kind, "abc", 3))
    listing(kind, lines(kind, "bc", 4))
    assert standing(kind) == ["b", "c"]
    if kind in OF_RECORDS:
        begun(kind)
        assert standing(kind) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", OF_RECORDS)
def test_what_a_person_withdrew_stays_so_when_it_is_listed(
    begun, listing, standing, database, workspaces, kind
):
    begun(kind)
    withdraw(database, (workspaces["payments"], "payments"), kind, "a", HAND)
    listing(kind, lines(kind, "abc"))
    assert standing(kind) == ["b", "c"]


@pytest.mark.parametrize("kind", OF_RECORDS)
def test_what_a_person_took_back_in_stays_in_and_is_not_shown_again(
    begun, listing, standing, database, workspaces, kind
):
    begun(kind)
    payments = (workspaces["payments"], "payments")
    listing(kind, lines(kind, "bc"))
    withdraw(database, payments, kind, "a", HAND, is_back=True)
    done = listing(kind, lines(kind, "bc"))
    assert (standing(kind), "is not listed any more" in done.output) == (["a", "b", "c"], False)


@pytest.mark.parametrize("kind", OF_RECORDS)
def test_a_correction_by_hand_does_not_keep_what_is_not_listed(
    begun, listing, standing, database, workspaces, kind
):
    begun(kind)
    field = {"incidents": "title", "slos": "name", "vendors": "name"}[kind]
    payments = (workspaces["payments"], "payments")
    correct(database, payments, kind, "a", {field: "Another"}, HAND)
    listing(kind, lines(kind, "bc"))
    assert standing(kind) == ["b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_another_workspaces_list_withdraws_nothing_here(begun, listing, standing, kind):
    begun(kind)
    other = [f"workspace,{HEADS[kind]}", f"search,{lines(kind, 'b', 2)[0]}", ""]
    done = listing(kind, "\n".join(other), slug="")
    assert done.exit_code == 0, done.output
    assert (standing(kind), standing(kind, "search")) == (["a", "b", "c"], ["b"])


@pytest.mark.parametrize("kind", KINDS_LISTED)
@pytest.mark.parametrize("more", ["", "bc"])
def test_a_list_with_a_row_that_can_not_be_read_withdraws_nothing(
    begun, listing, standing, kind, more
):
    begun(kind)
    bad = lines(kind, "a")[0].rpartition(",")[0] + ",odd"
    done = listing(kind, [bad, *lines(kind, more, 2)])
    assert (done.exit_code, "Nothing was retired" in done.output) == (1, True)
    assert standing(kind) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_a_list_of_which_a_file_is_missing_withdraws_nothing(
    begun, listing, standing, typed, tmp_path, kind
):
    begun(kind)
    path = tmp_path / "one.csv"
    path.write_text("\n".join([HEADS[kind], *lines(kind, "a", 2), ""]))
    done = typed("import", kind, path, tmp_path / "none.csv", "--workspace", "payments", *CONFIRMED)
    assert (done.exit_code, standing(kind)) == (1, ["a", "b", "c"])


@pytest.mark.parametrize("kind", KINDS_LISTED)
@pytest.mark.parametrize("given", [" a\t", "\u200ba", "a\u00a0"])
def test_marks_around_a_key_make_no_other_record(begun, listing, standing, kind, given):
    begun(kind)
    listing(kind, [each.replace("a,", f"{given},", 1) if kind != "control-results"
                   else each.replace(",a,", f",{given},") for each in lines(kind, "abc", 2)])  # fmt: skip
    assert standing(kind) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_a_record_twice_in_a_list_is_one(begun, listing, standing, kind):
    begun(kind)
    twice = lines(kind, "aab", 2)
    listing(kind, [*twice, twice[0].replace("About", "Of").replace("Name", "Of")])
    assert standing(kind) == ["a", "b"] if kind != "incidents" else ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_a_list_that_can_be_read_but_once_is_read_once(begun, standing, typed, tmp_path, kind):
    begun(kind)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = "\n".join([HEADS[kind], *lines(kind, "bc", 2), ""])
    writer = threading.Thread(target=pipe.write_text, args=(content,), daemon=True)
    writer.start()
    done = typed("import", kind, pipe, "--workspace", "payments", "--format", "csv", *CONFIRMED)
    writer.join(30)
    assert (done.exit_code, standing(kind)) == (0, ["b", "c"]), done.output


@pytest.mark.parametrize("kind", KINDS_LISTED)
def test_statements_that_were_compacted_count_as_they_were_told(
    begun, listing, standing, database, workspaces, kind
):
    begun(kind)
    listing(kind, lines(kind, "abc", 2), options=())
    with job_in(database.job, workspaces["payments"]) as connection:
        compact(connection, workspaces["payments"], datetime.now(UTC) + timedelta(days=1))
    listing(kind, lines(kind, "bc", 3))
    assert standing(kind) == ["b", "c"]


def test_an_unknown_word_in_a_list_leaves_its_record_listed(begun, listing, standing):
    begun("incidents")
    head = HEADS["incidents"] + ",severity"
    told = [f"{each},wobbly" for each in lines("incidents", "bc")]
    listing("incidents", "\n".join([head, *told, ""]))
    assert standing("incidents") == ["b", "c"]


def test_a_list_in_another_zone_reaches_as_far_as_it_says(begun, listing, standing):
    """The newest that it has began at 09:00 on the second; so did b, and c a day later."""
    begun("incidents")
    told = ["a,About a,2026-11-01 04:00", "new,About new,2026-11-02 04:00"]
    listing("incidents", [*told], options=(*CONFIRMED, "--time-zone", "America/New_York"))
    assert standing("incidents") == ["a", "c", "new"]


def test_a_merged_incident_that_is_listed_no_more_lends_nothing(
    begun, listing, stored, database, workspaces
):
    begun("incidents")
    merge(database, (workspaces["payments"], "payments"), "incidents", "a", "c", HAND)
    listing("incidents", lines("incidents", "bc"))
    a, _, c = stored("incidents")
    assert (a["left_out"], c["opened_at"].day) == ("withdrawn", 3)


def test_what_another_format_told_is_not_a_csv_lists_to_withdraw(begun, listing, standing, bring):
    begun("slos")
    slo = (
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n"
        "  timeWindow: [{duration: 28d, isRolling: true}]\n  objectives: [{target: 0.99}]\n"
    )
    bring("slos", slo, "a.yaml", workspace="payments")
    bring("slos", slo.replace("name: a", "name: z"), "z.yaml", workspace="payments")
    listing("slos", lines("slos", "b"))
    assert standing("slos") == ["a", "b", "z"]


@pytest.fixture
def loaded(database, workspaces, tmp_path):
    """Imports a list of a kind as the command does, and leaves what it lacks standing."""

    def run(kind: str, keys: str) -> list[ImportOutcome]:
        path = tmp_path / "loaded.csv"
        path.write_text("\n".join([HEADS[kind], *lines(kind, keys), ""]))
        return load(database, KINDS[kind], [path], workspace="payments")

    return run


@pytest.mark.parametrize("kind", OF_RECORDS)
def test_what_is_told_again_while_somebody_thinks_is_not_withdrawn(
    begun, listing, standing, database, loaded, kind
):
    begun(kind)
    outcomes = loaded(kind, "c")
    shown = lacked_records(database, KINDS[kind], outcomes)
    assert [record.key for record in shown] == ["a", "b"]
    listing(kind, lines(kind, "a"), options=())
    assert withdraw_records(database, KINDS[kind], outcomes, shown) == 1
    assert standing(kind) == ["a", "c"]


@pytest.mark.parametrize("kind", OF_RECORDS)
def test_what_was_not_shown_is_not_withdrawn(begun, standing, database, loaded, kind):
    begun(kind)
    outcomes = loaded(kind, "c")
    shown = lacked_records(database, KINDS[kind], outcomes)
    with pytest.raises(ListChanged):
        withdraw_records(database, KINDS[kind], outcomes, shown[1:])
    assert standing(kind) == ["a", "b", "c"]


def test_what_a_webhook_tells_after_the_list_is_not_withdrawn_by_it(
    standing, stored, database, workspaces, tmp_path
):
    """A list of PagerDuty's REST API, and its webhook while somebody thinks."""
    payments, kind = workspaces["payments"], KINDS["incidents"]

    def listed(*keys: str) -> list[ImportOutcome]:
        path = tmp_path / "incidents.json"
        each = [
            {"id": k, "type": "incident", "title": k, "created_at": f"2026-11-0{n}T09:00:00Z",
             "status": "triggered", "urgency": "high"}
            for n, k in zip((1, 2), keys, strict=False)
        ]  # fmt: skip
        path.write_text(json.dumps({"incidents": each}))
        return load(database, kind, [path], workspace="payments", form="pagerduty")

    listed("P", "Q")
    outcomes = listed("R", "Q")
    shown = lacked_records(database, kind, outcomes)
    assert [record.key for record in shown] == ["P"]
    data = {"id": "P", "title": "P", "created_at": "2026-11-01T09:00:00Z"}
    hook = {
        "event_type": "incident.acknowledged",
        "occurred_at": "2026-11-03T09:00:00Z",
        "data": data,
    }
    accept(database, payments, "pagerduty", json.dumps({"event": hook}).encode())
    drain(database, payments)
    assert withdraw_records(database, kind, outcomes, shown) == 0
    assert standing("incidents") == ["P", "Q", "R"]


@pytest.mark.parametrize("kind", OF_RECORDS)
def test_a_record_from_before_statements_were_kept_is_no_lists_to_withdraw(
    listing, standing, database, workspaces, settings, kind
):
    payments = (workspaces["payments"], "payments")
    row = {
        "incidents": {
            "opened_at": datetime(2026, 11, 1, tzinfo=UTC),
            "title": "Old",
            "severity": "p1",
        },
        "slos": {"name": "Old", "type": "custom", "target_percent": 99, "window_days": 30},
        "vendors": {"name": "Old", "tier": 1, "status": "active"},
    }[kind]
    World(database, settings).add(payments[0], KINDS[kind].table.name, [{"key": "old", **row}])
    listing(kind, lines(kind, "abc"))
    field = {"incidents": "title", "slos": "name", "vendors": "name"}[kind]
    correct(database, payments, kind, "old", {field: "Another"}, HAND)
    assert standing(kind) == ["a", "b", "c", "old"]


CHILD = """
import sys
from pathlib import Path
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.lists.complete import lacked_records, withdraw_records
from settings import load as settings
from storage.database import connect
database = connect(settings(data_dir=sys.argv[1]))
print("ready", flush=True)
outcomes = load(database, KINDS["vendors"], [Path(sys.argv[2])], workspace="payments")
shown = lacked_records(database, KINDS["vendors"], outcomes)
withdraw_records(database, KINDS["vendors"], outcomes, shown)
print("done", flush=True)
sys.stdin.read()
"""
"""Carries a list out, and waits to be killed: one that ends might stop the server that it shares."""


def test_killed_at_any_point_a_list_is_carried_out_whole_or_not_at_all(
    listing, standing, settings, tmp_path
):
    everyone = [f"v{number:03}" for number in range(400)]
    listed, path, chance = everyone[::2], tmp_path / "half.csv", Random(5)
    listing("vendors", [line("vendors", key) for key in everyone], options=())
    path.write_text("\n".join([HEADS["vendors"], *(line("vendors", key) for key in listed), ""]))
    argv = [sys.executable, "-c", CHILD, str(settings.data_dir), str(path)]
    for last in (False, False, False, True):
        child = subprocess.Popen(
            argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if last:
            assert child.stdout.readline() == "done\n"
        else:
            time.sleep(chance.uniform(0, 0.3))
        child.kill()
        child.communicate()
        assert standing("vendors") in (everyone, listed)
    assert standing("vendors") == listed
