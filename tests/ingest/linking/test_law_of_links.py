"""The law of the fold with rules that link: in whatever order statements and rules come, however they are
repeated and cut, the same rows stand in the database."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from aggregators.records.statements import ROW
from ingest import words
from ingest.desk import meanings
from ingest.folding import TellOutcome
from ingest.kinds import KINDS
from ingest.statements import refold, tell
from storage.context import job_in
from storage.statement_tables import mention
from tests.deep import seeds
from tests.ingest.formats.event_bodies import (
    Body,
    am_alert,
    cd_event,
    gh_hook,
    gh_releases,
    gh_status,
    pd_hook,
    pd_list,
    sp_list,
)
from tests.ingest.formats.telling import RECEIVED, told
from tests.ingest.formats.test_law_in_the_database import Batch, otherwise
from tests.world import World

NUMBERS = count()
NAMES = {
    "incidents": (
        "alertmanager labels.of",
        "alertmanager annotations.at",
        "pagerduty custom_fields.of",
        "statuspage metadata.of",
    ),
    "deployments": ("cdevents customdata.of", "github payload.of"),
}
FORMS = {
    "incidents": ("alertmanager", "pagerduty", "statuspage"),
    "deployments": ("cdevents", "github"),
}


def reference(random: Random, *keys: str) -> str:
    """A key, or an address that ends in one; of something that is never told, too."""
    key = random.choice([*keys, "never"])
    return random.choice(
        [key, key, f"https://pager.example/incidents/{key}", "https://s.example/x"]
    )


def body(random: Random, form: str) -> Body:
    """A body of a format that may name another record."""
    if form == "alertmanager":
        alert = am_alert(random)
        alert["labels"] |= {"of": reference(random, "A", "B")} if random.random() < 0.5 else {}
        alert["annotations"] = {"at": f"see {reference(random, 'A', 'B', 'C')}"}
        return {"externalURL": "http://a.example", "alerts": [alert]}
    if form == "pagerduty":
        made: Any = random.choice([pd_hook, pd_list])(random)
        each = made["incidents"] if "incidents" in made else [made["event"]["data"]]
        for incident in each:
            incident["custom_fields"] = [{"name": "of", "value": reference(random, "A", "B", "C")}]
        return made
    if form == "statuspage":
        made = sp_list(random)
        for incident in made["incidents"]:
            incident["metadata"] = {"of": reference(random, "A", "B", "C")}
            incident["shortlink"] = random.choice(["https://s.example/x", "https://s.example/y"])
        return made
    if form == "cdevents":
        made = cd_event(random)
        while "service.deployed" not in str(made):
            made = cd_event(random)
        (made.get("data") or made)["customData"] = {"of": reference(random, "1", "2", "/a#1")}
        return made
    made = random.choice([gh_hook, gh_hook, gh_releases])(random)
    if isinstance(made, dict):
        made["deployment_status"] = gh_status(random) | {"state": "success"}
        made["deployment"]["payload"] = {"of": reference(random, "1", "2", "/a#1", "/b#2")}
    return made


def batches_of(random: Random, kind: str) -> list[Batch]:
    """Random bodies of the formats, received a minute apart."""
    each = [random.choice(FORMS[kind]) for _ in range(random.randint(3, 8))]
    return [
        (kind, told(form, kind, body(random, form), RECEIVED + timedelta(minutes=minute)))
        for minute, form in enumerate(each)
    ]


def rule(connection: Connection, team: int, name: str, meaning: str | None) -> None:
    meanings.set_meaning(connection, team, "link", name, meaning, "erin@x.example")


def state(connection: Connection, kind: str) -> list[Any]:
    """All rows of a kind, and the way back from what is mentioned."""
    tables = (KINDS[kind].table, mention)
    return [connection.execute(select(t).order_by(*t.primary_key.columns)).all() for t in tables]


def tell_all(connection: Connection, team: int, batches: list[Batch]) -> None:
    for kind, statements in batches:
        meaning = words.as_they_stand(connection, team)
        tell(connection, KINDS[kind], team, statements, meaning)


def in_one_go(connection: Connection, team: int, kind: str, batches: list[Batch]) -> None:
    """Folds everything anew, at once."""
    query = text("select distinct identity from statement where workspace_id = :w")
    identities = list(connection.execute(query, {"w": team}).scalars())
    meaning = words.as_they_stand(connection, team)
    refold(connection, KINDS[kind], team, identities, meaning, TellOutcome())


@pytest.mark.parametrize("tried", seeds(few=3, many=30, deep=2500))
@pytest.mark.parametrize("kind", NAMES)
def test_statements_and_rules_in_any_order_leave_the_same_rows(server, settings, kind, tried):
    team = World(server, settings).workspace(f"links-{next(NUMBERS)}")
    linked = 0
    for seed in tried:
        random = Random(f"links {kind} {seed}")
        batches = batches_of(random, kind)
        rules = random.sample(NAMES[kind], random.randint(1, len(NAMES[kind])))
        others = [name for name in NAMES[kind] if name not in rules]
        with job_in(server.job, team) as connection:
            trial = connection.begin_nested()
            for name in rules:
                rule(connection, team, name, "same")
            tell_all(connection, team, batches)
            expected = state(connection, kind)
            in_one_go(connection, team, kind, batches)
            assert state(connection, kind) == expected, seed
            trial.rollback()
            linked += sum(row.left_out == "merged" for row in expected[0])

            trial = connection.begin_nested()
            again = otherwise(random, batches)
            cut = random.randrange(len(again) + 1)
            for name in (*others, *rules[:1]):
                rule(connection, team, name, "same")
            tell_all(connection, team, again[:cut])
            for name in random.sample(rules, len(rules)):
                rule(connection, team, name, "same")
            for name in others:
                rule(connection, team, name, random.choice([None, "other"]))
            tell_all(connection, team, again[cut:])
            assert state(connection, kind) == expected, seed
            trial.rollback()
    assert linked > len(tried) // 5


def test_rows_are_told_in_the_order_of_their_receipt():
    """Rows are among the bodies, so that the test above says something of them too."""
    random = Random("rows")
    batches = [each for _ in range(20) for each in batches_of(random, "incidents")]
    assert any(each.statement.manner is ROW for _, batch in batches for each in batch)
