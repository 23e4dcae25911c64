"""A true history, told by PagerDuty, Alertmanager, CDEvents, GitHub and CSV, in any order, with repetitions
and losses that a sender makes up for, by file and by delivery: all give the figures of the history."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from aggregators.vocabulary.period import Ask
from ingest.formats import FORMATS
from ingest.importer import Receipt, load, take
from ingest.kinds import KINDS
from reading.dashboard import read
from storage.context import job_in
from tests.conftest import empty
from tests.deep import efforts
from tests.ingest.history import senders
from tests.ingest.history import true_history as true
from tests.ingest.history.true_history import BEGIN, History, histories
from tests.plain.records import Oracle, Records, Row, span_days
from tests.reading.test_figures_against_raw_records import agree, agree_quantiles
from tests.world import World

FIRST = BEGIN.date()
LAST = FIRST + timedelta(days=2)
NUMBERS = count()


class Teller:
    """Tells a workspace what senders say, cut and ordered as the example draws it."""

    def __init__(self, data: st.DataObject, world: World, slug: str, folder: Path) -> None:
        self.data, self.world, self.slug, self.folder = data, world, slug, folder
        self.id = world.workspace(slug)

    def in_any_order(self, form: str, told: Sequence[Any]) -> None:
        """Tells messages in any order, some of them twice."""
        again = self.data.draw(st.lists(st.sampled_from(told), max_size=3)) if told else []
        self.in_order(form, self.data.draw(st.permutations([*told, *again])))

    def in_order(self, form: str, told: Sequence[Any]) -> None:
        """Tells messages in this order, by files and by deliveries."""
        places = st.lists(st.integers(0, len(told)), max_size=3)
        edges = [0, *sorted(self.data.draw(places)), len(told)]
        for a, b in pairwise(edges):
            if a < b and self.data.draw(st.booleans()):
                self.by_file(form, "\n".join(json.dumps(one) for one in told[a:b]))
            elif a < b:
                self.by_delivery(form, json.dumps(told[a:b]))

    def by_file(self, form: str, content: str, kinds: Sequence[str] = ()) -> None:
        """Imports a file."""
        path = self.folder / f"{next(NUMBERS)}.txt"
        path.write_text(content, encoding="utf-8")
        for kind in kinds or FORMATS[form].readers:
            database = self.world.database
            (outcome,) = load(database, KINDS[kind], [path], workspace=self.slug, form=form)
            assert not outcome.rejected, (outcome.problem, outcome.rejects)

    def by_delivery(self, form: str, content: str) -> None:
        """Takes a body of the door."""
        with job_in(self.world.database.job, self.id) as connection:
            receipt = Receipt(datetime.now(UTC))
            body = content.encode()
            for _, outcome in take(connection, self.id, form, body, "application/json", receipt):
                assert not outcome.rejected, (outcome.problem, outcome.rejects)

    def csv(self, kind: str, rows: Sequence[Row]) -> None:
        """Imports rows in any order, cut into files that may overlap."""
        lines = senders.csv_lines(rows)
        if not lines:
            return
        order = self.data.draw(st.permutations(lines[1:]))
        cut = self.data.draw(st.integers(0, len(order)))
        overlap = self.data.draw(st.integers(0, cut))
        for part in (order[:cut], order[overlap:]):
            if part:
                self.by_file("csv", "\n".join([lines[0], *part]), [kind])


def hooks(teller: Teller, history: History) -> Records:
    """The causes, which PagerDuty does not know, come as CSV, at any time."""
    parts = [
        lambda: teller.in_any_order("pagerduty", senders.pagerduty_hooks(history)),
        lambda: teller.in_any_order("github", senders.github_hooks(history)),
        lambda: teller.csv("incidents", true.cause_rows(history)),
    ]
    for tell in teller.data.draw(st.permutations(parts)):
        tell()
    return Records(true.deployment_rows(history), incident=true.caused_rows(history))


def lists(teller: Teller, history: History) -> Records:
    teller.in_any_order("pagerduty", senders.pagerduty_list(history))
    teller.in_any_order("github", senders.github_list(history))
    return Records(true.deployment_rows(history), incident=true.incident_rows(history))


def lost_hooks_and_lists(teller: Teller, history: History) -> Records:
    """Some hooks never arrive; the lists that are pulled at any time after make up for them."""
    for form, each in (
        ("pagerduty", (senders.pagerduty_hooks, senders.pagerduty_list)),
        ("github", (senders.github_hooks, senders.github_list)),
    ):
        sent, listed = (tell(history) for tell in each)
        arrived = [one for one in sent if teller.data.draw(st.booleans())]
        teller.in_any_order(form, [*arrived, *listed])
    return Records(true.deployment_rows(history), incident=true.incident_rows(history))


def alerts(teller: Teller, history: History) -> Records:
    """Of each repeated notice at least one arrives; each alert's own in order, the alerts' in any."""
    queues = [
        [one for n, one in enumerate(queue) if n % 3 == 0 or teller.data.draw(st.booleans())]
        for queue in senders.alertmanager_groups(history, 3)
    ]
    told = []
    while waiting := [queue for queue in queues if queue]:
        told.append(teller.data.draw(st.sampled_from(waiting)).pop(0))
    teller.in_order("alertmanager", told)
    return Records(incident=true.alert_rows(history))


def cdevents(teller: Teller, history: History) -> Records:
    """CDEvents know neither acknowledgements, severities nor failures."""
    teller.in_any_order("cdevents", senders.cdevents(history))
    unseen = {"acknowledged_at": None, "severity": "p3"}
    succeeded = [r for r in true.deployment_rows(history) if r["outcome"] == "successful"]
    return Records(
        [row | {"created_at": None} for row in succeeded],
        roll_back=true.roll_back_rows(history),
        incident=[row | unseen for row in true.incident_rows(history)],
    )


def csv(teller: Teller, history: History) -> Records:
    records = Records(
        true.deployment_rows(history),
        true.change_rows(history),
        true.roll_back_rows(history),
        true.caused_rows(history),
    )
    kinds = ["deployments", "changes", "roll-backs", "incidents"]
    rows = (records.deployment, records.deployment_change, records.roll_back, records.incident)
    for kind, told in teller.data.draw(st.permutations(list(zip(kinds, rows, strict=True)))):
        teller.csv(kind, told)
    return records


WAYS: dict[str, Callable[[Teller, History], Records]] = {
    "hooks": hooks,
    "lists": lists,
    "lost-hooks": lost_hooks_and_lists,
    "alerts": alerts,
    "cdevents": cdevents,
    "csv": csv,
}
COMPARED = {
    "incidents": ("opened_at", "acknowledged_at", "resolved_at", "severity"),
    "deployments": ("service", "environment", "created_at", "completed_at", "outcome"),
}


def stored(world: World, workspace: int, kind: str) -> list[tuple[Any, ...]]:
    """The records that count, without their keys, in order."""
    table = KINDS[kind].table
    with job_in(world.database.job, workspace) as connection:
        rows = connection.execute(select(table).where(table.c.left_out.is_(None))).mappings().all()
    return plain(rows, kind)


def plain(rows: Sequence[Any], kind: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in COMPARED[kind]) for row in rows), key=repr)


def check_figures(figures: Any, oracle: Oracle, way: str) -> None:
    """The snapshot's figures are those of the history."""
    dora, incidents = figures["dora"], figures["incidents"]
    agree(dora["change_failure_rate"], oracle.change_failure_rate(), f"{way}: failures")
    agree(dora["deploy_frequency"], oracle.deploy_frequency(), f"{way}: frequency")
    agree_quantiles(dora, "lead_time_for_changes", "lead_time_p90", oracle.lead_times())
    agree_quantiles(dora, "mttr", "mttr_p90", oracle.recovery_times())
    agree(incidents["open"], oracle.open(), f"{way}: open")
    agree(incidents["open_p1"], oracle.open("p1"), f"{way}: open p1")
    agree(incidents["mtta"], oracle.mean("acknowledged_at"), f"{way}: MTTA")
    agree(incidents["mttr"], oracle.mean("resolved_at"), f"{way}: MTTR")
    assert (incidents["opened"].evidence.n or 0) == oracle.opened(), way


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that all examples write into, each under names of its own."""
    return tmp_path


@pytest.mark.parametrize("effort", efforts(few=3, many=20, deep=500))
def test_every_way_of_telling_a_history_gives_its_figures(server, settings, folder, effort):
    @effort
    @given(history=histories(), data=st.data())
    def check(history, data):
        told_in_every_way(server, settings, folder, history, data)

    check()


def told_in_every_way(
    server, settings, folder: Path, history: History, data: st.DataObject
) -> None:
    """A history, told to a workspace a way: its records and figures are what happened."""
    empty(server)
    world = World(server, settings)
    alice = world.person("alice@x.example")
    expected: dict[str, Records] = {}
    for way, tell in WAYS.items():
        teller = Teller(data, world, way, folder)
        world.member(alice, teller.id, "platform_admin")
        records = tell(teller, history)
        records.days = set(span_days(FIRST, LAST))
        assert stored(world, teller.id, "incidents") == plain(records.incident, "incidents"), way
        told = plain(records.deployment, "deployments")
        assert stored(world, teller.id, "deployments") == told, way
        expected[way] = records
    world.backfill(FIRST, LAST)
    dashboard = read(server, alice, Ask(None, FIRST, LAST), settings)
    for way, records in expected.items():
        figures = {s.domain.key: s.cards.find(way).figures for s in dashboard.scorecards}
        check_figures(figures, Oracle([records], FIRST, LAST), way)
