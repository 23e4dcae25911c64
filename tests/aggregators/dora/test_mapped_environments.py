"""Roll-backs undo deployments by what their environments' names mean, whatever their spelling, whoever said
what it means, and whenever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import text

from aggregators.records.statements import Statement
from ingest import words
from ingest.desk import meanings, seen_words
from ingest.kinds import KINDS
from ingest.statements import Told, tell
from storage.context import job_in
from tests.world import World

NINE = datetime(2026, 4, 2, 9, tzinfo=UTC)
BY = "erin@x.example"
NUMBERS = count()
ORDERS = (("deployments", "roll-backs"), ("roll-backs", "deployments"))
UNDONE = "select key from deployment where rolled_back_at is not null order by key"


class ToldTeam:
    """A workspace that is told of deployments and roll-backs of one service."""

    def __init__(self, server, settings) -> None:
        self.database = server
        self.slug = f"mapped-{next(NUMBERS)}"
        self.id = World(server, settings).workspace(self.slug)

    def tell(self, kind: str, key: str, minute: int, environment: str | None, **more) -> None:
        """Tells an event of the kind."""
        at = NINE + timedelta(minutes=minute)
        named = {"environment": environment} if environment else {}
        own = {"rolled_back_at": at}
        if kind == "deployments":
            own = {"completed_at": at, "outcome": "successful"}
        said = {"key": key, "service": "api", **own, **named, **more}
        with job_in(self.database.job, self.id) as connection:
            meant = words.of_workspace(connection, self.id)
            statement = Statement("cdevents", said, NINE, at)
            tell(connection, KINDS[kind], self.id, [Told(key, statement)], meant)

    def mean(self, word: str, meaning: str | None, *, by_all: bool = False) -> None:
        """Says what a word means to the workspace, or to all of them."""
        if by_all:
            everyone = [(self.id, self.slug)]
            meanings.change_default(self.database, everyone, "environment", word, meaning, BY)
        else:
            workspace = (self.id, self.slug)
            meanings.change(self.database, workspace, "environment", word, meaning, BY)

    @property
    def undone(self) -> list[str]:
        """Keys of the deployments that are rolled back."""
        with job_in(self.database.job, self.id) as connection:
            return list(connection.execute(text(UNDONE)).scalars())


@pytest.fixture
def team(server, settings) -> ToldTeam:
    return ToldTeam(server, settings)


def told(team: ToldTeam, order, deployed: str | None, rolled_back: str | None) -> None:
    """A deployment to one name, and its roll-back in another."""
    for kind in order:
        minute, name = (0, deployed) if kind == "deployments" else (5, rolled_back)
        team.tell(kind, kind[0], minute, name)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("deployed", "rolled_back"),
    [
        ("production", "prod"),
        ("prd", "production"),
        ("live", "prod"),
        ("production - app", "production"),
        ("production", "production - app"),
        (None, "prod"),
        ("live", None),
    ],
)
def test_a_roll_back_in_another_spelling_of_production_undoes(team, order, deployed, rolled_back):
    told(team, order, deployed, rolled_back)
    assert team.undone == ["d"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("by_all", [True, False])
@pytest.mark.parametrize(("deployed", "rolled_back"), [("kiosk", "prod"), ("live", "kiosk")])
def test_a_word_that_the_workspace_or_the_organisation_maps_undoes_too(
    team, order, by_all, deployed, rolled_back
):
    team.mean("kiosk", "production", by_all=by_all)
    try:
        told(team, order, deployed, rolled_back)
        assert team.undone == ["d"]
    finally:
        team.mean("kiosk", None, by_all=by_all)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("by_all", [True, False])
@pytest.mark.parametrize(("deployed", "rolled_back"), [("kiosk", "prod"), ("live", "kiosk")])
def test_a_word_that_is_mapped_afterwards_undoes_and_lets_stand_again(
    team, order, by_all, deployed, rolled_back
):
    told(team, order, deployed, rolled_back)
    assert team.undone == []
    team.mean("kiosk", "production", by_all=by_all)
    assert team.undone == ["d"]
    team.mean("kiosk", None, by_all=by_all)
    assert team.undone == []


@pytest.mark.parametrize("order", ORDERS)
def test_a_name_that_nobody_maps_stands_for_itself(team, order):
    for kind in order:
        minute = 0 if kind == "deployments" else 5
        sender = {"is_production": True} if kind == "deployments" else {}
        team.tell(kind, kind[0], minute, "blue", **sender)
    assert team.undone == ["d"]
    team.tell("deployments", "green", 4, "green", is_production=True)
    assert team.undone == ["d"]


def test_production_that_is_mapped_away_is_no_name_for_the_others(team):
    team.mean("production", "other")
    team.tell("deployments", "live", 0, "live")
    team.tell("roll-backs", "r", 5, "production")
    assert team.undone == []
    team.mean("production", None)
    assert team.undone == ["live"]


def test_words_of_roll_backs_are_among_those_that_were_seen(team):
    team.tell("roll-backs", "r", 5, "kiosk")
    with job_in(team.database.job, team.id) as connection:
        seen = {word.word: word.records for word in seen_words.seen_words(connection, team.id)}
    assert seen["kiosk"] == 1
