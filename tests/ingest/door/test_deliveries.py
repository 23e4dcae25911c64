"""The door holds: every accepted delivery is there afterwards, exactly once, whatever is killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from ingest import importer
from ingest.door import deliveries as door
from ingest.door import janitor, quarantine
from ingest.door.deliveries import accept, drain, find_delivery
from storage.context import job_in
from tests.deep import all_but
from tests.world import World

ROOT = Path(__file__).parents[3]
CHILD = """
import json, sys
from settings import load
from storage.database import connect
from ingest.door.deliveries import accept, drain
database = connect(load(data_dir=sys.argv[1]))
team = int(sys.argv[2])
for line in sys.stdin:
    if line.strip() == "drain":
        drain(database)
        print("drained", flush=True)
    else:
        print(accept(database, team, "github", line.encode()), flush=True)
"""


def event(number: int, environment: str = "production") -> bytes:
    at = datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(minutes=number)
    told = {"environment": environment, "created_at": at.isoformat()}
    return json.dumps(
        {
            "deployment": {"id": number, **told},
            "deployment_status": {"state": "success", **told},
            "repository": {"name": "api"},
        }
    ).encode()


@pytest.fixture
def team(database, settings) -> int:
    return World(database, settings).workspace("team")


def rows(database, team: int, table: str) -> list[dict]:
    with job_in(database.job, team) as connection:
        return [dict(row) for row in connection.execute(text(f"select * from {table}")).mappings()]


class Child:
    """A process that accepts and reads deliveries until it is killed."""

    def __init__(self, settings, team: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(settings.data_dir), str(team)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def killed(self) -> list[str]:
        """Kills it; what it had answered by then."""
        self.process.send_signal(signal.SIGKILL)
        return self.process.communicate()[0].split()


@pytest.mark.parametrize("seed", all_but([3], [3, 17]))
def test_killed_at_any_point_every_accepted_delivery_is_there_exactly_once(
    database, settings, team, seed
):
    chance = random.Random(seed)
    answered: list[str] = []
    number = 0
    for _ in range(3):
        child = Child(settings, team)
        child.ask(event(number := number + 1).decode())
        answered.append(child.process.stdout.readline().strip())
        for _ in range(40):
            child.ask(event(number := number + 1).decode())
            if chance.random() < 0.2:
                child.ask("drain")
        time.sleep(chance.uniform(0, 0.4))
        answered += [line for line in child.killed() if line != "drained"]
    drain(database)
    kept = {str(row["id"]): row for row in rows(database, team, "delivery")}
    assert set(answered) <= set(kept)
    assert {row["state"] for row in kept.values()} == {"folded"}
    keys = [row["key"] for row in rows(database, team, "deployment")]
    assert len(keys) == len(set(keys)) == len(kept)
    assert sum(row["outcome"]["written"] for row in kept.values()) == len(kept)


def test_two_readers_at_once_read_each_delivery_once(database, team):
    for number in range(60):
        accept(database, team, "github", event(number % 20))
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda _: drain(database), range(4)))
    assert sum(read) == 60
    assert len(rows(database, team, "deployment")) == 20
    assert {row["state"] for row in rows(database, team, "delivery")} == {"folded"}


def test_two_words_about_one_record_at_once_are_both_heard(database, team):
    """A successful status and a later failed one, read by two readers in the same moment."""
    for number in range(20):
        for state, minute in (("success", 1), ("failure", 2)):
            body = json.loads(event(number))
            body["deployment_status"] |= {
                "state": state, "created_at": f"2026-11-03T09:{minute:02}:00Z"
            }  # fmt: skip
            accept(database, team, "github", json.dumps(body).encode())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: drain(database), range(4)))
    assert {row["outcome"] for row in rows(database, team, "deployment")} == {"failed"}


def test_a_delivery_whose_reading_breaks_does_not_hold_up_the_others(database, team, monkeypatch):
    real, poison = importer.take, event(2)

    def take(connection, workspace_id, form, content, *more):
        if content == poison:
            connection.execute(text("select 1 / 0"))
        return real(connection, workspace_id, form, content, *more)

    monkeypatch.setattr(importer, "take", take)
    made = [accept(database, team, "github", event(number)) for number in (1, 2, 3)]
    assert drain(database) == 3
    states = [find_delivery(database, team, each)["state"] for each in made]
    assert states == ["folded", "quarantined", "folded"]
    monkeypatch.undo()
    quarantine.replay(database, (team, "team"), made[1], "erin@x.example")
    assert find_delivery(database, team, made[1])["state"] == "folded"
    assert len(rows(database, team, "deployment")) == 3


def test_no_workspace_waits_for_all_of_another(database, settings, team):
    other = World(database, settings).workspace("other")
    for number in range(door.AT_A_TIME * 2):
        accept(database, team, "github", event(number))
    accept(database, other, "github", event(1))
    drain(database)
    (theirs,) = rows(database, other, "delivery")
    later = [
        row for row in rows(database, team, "delivery") if row["folded_at"] > theirs["folded_at"]
    ]
    assert later


def test_deliveries_of_an_inactive_workspace_are_read_and_kept(database, team):
    made = accept(database, team, "github", event(1))
    with database.job.begin() as connection:
        connection.execute(text("update workspace set is_active = false"))
    assert drain(database) == 1
    assert find_delivery(database, team, made)["state"] == "folded"


def test_accepting_reads_nothing(database, team, monkeypatch):
    def unread(*_):
        raise AssertionError("read while it was accepted")

    monkeypatch.setattr(importer, "take", unread)
    accept(database, team, "github", b"[" + b"1," * 499_999 + b"1]")
    (kept,) = rows(database, team, "delivery")
    assert (kept["state"], len(kept["content"])) == ("waiting", 1_000_001)


def test_what_can_not_be_read_is_told_within_bounds(database, team):
    made = accept(database, team, "github", b"[" + b"1," * 499_999 + b"1]")
    drain(database)
    state = find_delivery(database, team, made)
    assert state["state"] == "quarantined"
    assert len(rows(database, team, "quarantine")) <= 300


def test_bodies_are_kept_for_their_time_and_quarantine_for_as_long_as_it_takes(database, team):
    good, bad = (accept(database, team, "github", body) for body in (event(1), b"{"))
    drain(database)
    with job_in(database.job, team) as connection:
        connection.execute(text("update delivery set received_at = now() - interval '31 days'"))
    before = datetime.now(UTC) - timedelta(days=30)
    assert janitor.tidy(database, before)[0] == 1
    assert not find_delivery(database, team, good)["is_kept"]
    assert find_delivery(database, team, bad)["is_kept"]
    with pytest.raises(quarantine.BodyIsGone):
        quarantine.replay(database, (team, "team"), good, "erin@x.example")
    assert janitor.tidy(database, before) == (0, 0)


def test_a_replay_after_a_better_reader_takes_what_was_left(database, team, monkeypatch):
    made = accept(database, team, "github", event(5))
    real = importer.take

    def older(connection, workspace_id, form, content, *more):
        return real(connection, workspace_id, form, b"{}", *more)

    monkeypatch.setattr(importer, "take", older)
    drain(database)
    assert quarantine.waiting_deliveries(database, team) == [made]
    monkeypatch.undo()
    quarantine.replay(database, (team, "team"), made, "erin@x.example")
    assert quarantine.waiting_deliveries(database, team) == []
    assert quarantine.list_quarantine(database, team, 10) == (0, [])
    with job_in(database.job, team) as connection:
        told = connection.execute(select(text("received_at from statement"))).scalar_one()
        kept = connection.execute(select(text("received_at from delivery"))).scalar_one()
    assert told == kept
