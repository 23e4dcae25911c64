"""Deployments keep when they were rolled back, whatever is told of either in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from aggregators.dora.tables import deployment, roll_back
from aggregators.records.statements import ROW, Statement
from ingest import words
from ingest.kinds import KINDS
from ingest.statements import Told, tell
from storage.context import job_in
from tests.deep import efforts
from tests.plain.delivery_rules import undone_when
from tests.world import World

NINE = datetime(2026, 4, 2, 9, tzinfo=UTC)
NUMBERS = count()
MINUTES = st.integers(0, 12).map(lambda minutes: NINE + timedelta(minutes=minutes))
SERVICES = st.sampled_from([None, "api", "web"])
DEPLOYED = st.fixed_dictionaries(
    {
        "key": st.sampled_from("abcd"),
        "completed_at": MINUTES,
        "outcome": st.sampled_from(["successful", "successful", "failed", "cancelled"]),
        "service": SERVICES,
        "environment": st.sampled_from(["production", "prod", "staging"]),
    },
    optional={"withdrawn": st.just(True), "merged_into": st.sampled_from("abcd")},
)
ROLLED_BACK = st.fixed_dictionaries(
    {"key": st.sampled_from("rst"), "rolled_back_at": MINUTES, "service": SERVICES},
    optional={
        "withdrawn": st.just(True),
        "environment": st.sampled_from(["production", "live", "staging"]),
    },
)
WORDS = st.one_of(
    st.tuples(st.just("deployments"), DEPLOYED), st.tuples(st.just("roll-backs"), ROLLED_BACK)
)


def slow(deployments, roll_backs) -> dict[str, datetime]:
    """When each deployment was rolled back, service by service, in plain Python. One is of the services
    of its parts too."""
    groups = {(r.service, r.mapped_environment) for r in roll_backs}
    found: dict[str, datetime] = {}
    for service, environment in groups:
        counted = [
            (d.key, d.completed_at)
            for d in deployments
            if any(
                (each.service or "", each.mapped_environment) == (service, environment)
                for each in (d, *(p for p in deployments if p.part_of == d.key))
            )
            and d.production and not d.left_out and d.outcome != "cancelled"
        ]  # fmt: skip
        its_own = [
            r for r in roll_backs if (r.service, r.mapped_environment) == (service, environment)
        ]
        for key, at in undone_when(counted, [r.rolled_back_at for r in its_own]).items():
            found[key] = min(at, found.get(key, at))
    return found


@pytest.mark.parametrize("effort", efforts(few=6, many=25, deep=2000))
def test_what_is_kept_is_what_the_roll_backs_undo(server, settings, effort):
    @effort
    @given(told=st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=6))
    def holds(told):
        team = World(server, settings).workspace(f"undoing-{next(NUMBERS)}")
        for minute, batch in enumerate(told):
            with job_in(server.job, team) as connection:
                for kind in ("deployments", "roll-backs"):
                    statements = [
                        Told(
                            said["key"],
                            Statement("csv", said, NINE + timedelta(minutes=minute), manner=ROW),
                        )
                        for name, said in batch
                        if name == kind
                    ]  # fmt: skip
                    tell(
                        connection,
                        KINDS[kind],
                        team,
                        statements,
                        words.of_workspace(connection, team),
                    )
        with job_in(server.job, team) as connection:
            deployments = connection.execute(select(deployment)).all()
            roll_backs = connection.execute(select(roll_back)).all()
        kept = {d.key: d.rolled_back_at for d in deployments if d.rolled_back_at is not None}
        assert kept == slow(deployments, roll_backs)

    holds()
