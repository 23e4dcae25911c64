"""A real Citus cluster beside plain PostgreSQL: every command does the same, every figure is equal, and no
node shows a row to anybody without a context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest
from sqlalchemy import create_engine, text

from aggregators.catalogue import domains
from aggregators.vocabulary.listing import RecordsRequest
from aggregators.vocabulary.period import Ask
from reading.records import each_record
from storage import database
from tests.storage.nodes.cluster import (
    NEEDS_CLUSTER,
    ToldDatabase,
    distributed,
    on_one_server,
    statements,
    viewer,
)
from tests.storage.nodes.many_records import FILES as MANY

FILES = {
    "deployments": "key,completed_at,outcome\n"
    "d1,2026-11-21T10:00:00Z,successful\nd2,2026-11-21T11:00:00Z,failed\n",
    "changes": "deployment,key,committed_at\nd1,c1,2026-11-20T10:00:00Z\n",
    "incidents": "key,opened_at,resolved_at,severity\ni1,2026-11-21T12:00:00Z,2026-11-21T13:00:00Z,p1\n",
    "slos": "key,target_percent\ncheckout-2,99.9\n",
    "slo-days": "key,day,good,total\ncheckout-2,2026-11-21,999,1000\n",
    "control-results": "framework,control,result,assessed_at\nSOC2,CC9.9,compliant,2026-11-21T10:00:00Z\n",
    "vendors": "key,name,tier\nv9,Vendor,1\n",
    "vendor-reviews": "vendor,completed_on\nv9,2026-11-21\n",
}
COMMANDS = (
    "demo load --workspaces 4 --days 60",
    "member grant dave@demo.example payments engineer",
    "member revoke dave@demo.example payments",
    *(f"records import {kind} {{folder}}/{kind}.csv --workspace payments" for kind in FILES),
    "records import deployments {folder}/deployments.csv --workspace payments",
    "records withdraw incidents i1 --workspace payments",
    "mapping set environment kiosk production --workspace payments",
    "framework seed payments SOC2",
    *(f"records import {kind} {{folder}}/many-{kind}.csv --workspace search" for kind in MANY),
    "snapshot run",
    "snapshot backfill --from 2026-09-25 --to 2026-11-22 --workspace search",
    "user list",
    "audit verify",
)
pytestmark = NEEDS_CLUSTER


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Iterator[tuple[ToldDatabase, ToldDatabase]]:
    """Citus and plain PostgreSQL, each told the same."""
    name, plain = "vigilo_nodes", "vigilo_plain"
    folders = [tmp_path_factory.mktemp(each) for each in (name, plain)]
    with distributed(name, folders[0]) as first, on_one_server(plain, folders[1]) as second:
        for one in (first, second):
            for kind, content in FILES.items():
                (one.folder / f"{kind}.csv").write_text(content, encoding="utf-8")
            for kind, content in MANY.items():
                (one.folder / f"many-{kind}.csv").write_text(content, encoding="utf-8")
        yield first, second


@pytest.fixture(scope="module")
def told(both) -> dict[str, tuple[str, str]]:
    """Output of each command on Citus and on plain PostgreSQL."""
    return {words: (both[0].typed(words), both[1].typed(words)) for words in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_does_the_same(told, words):
    on_citus, plain = told[words]
    assert on_citus == plain


@pytest.mark.parametrize("period", [7, 28])
def test_every_figure_is_equal(both, told, period):
    assert both[0].figures(period) == both[1].figures(period)


@pytest.mark.parametrize("domain", [each.key for each in domains() if each.records])
def test_every_listed_record_of_thousands_is_equal(both, told, domain):
    ask = Ask(None, date(2026, 9, 25), date(2026, 11, 22))
    listed = []
    for one in both:
        with closing(database.connect(one.settings)) as opened:
            alice = viewer(opened, "alice")
            rows = each_record(
                opened, alice, "search", domain, ask, one.settings, {}, RecordsRequest()
            )
            listed.append(list(rows))
    assert listed[0] == listed[1]
    assert listed[0]


def test_the_doctor_finds_nothing(both, told):
    assert "All is well." in both[0].typed("doctor")


def test_no_node_shows_a_row_without_a_context(both, told):
    """Every shard of every tenant table, looked at directly on its node, by name."""
    url, looked_at = both[0].url, 0
    shards = statements(
        url,
        "select s.logicalrelid::text, shard_name(s.logicalrelid, s.shardid), n.nodename, n.nodeport,"
        " s.shardid from pg_dist_shard s join pg_dist_placement p using (shardid)"
        " join pg_dist_node n using (groupid)"
        " where exists (select from pg_attribute a where a.attrelid = s.logicalrelid"
        " and a.attname = 'workspace_id')",
    )
    for role in ("vigilo_web", "vigilo_job"):
        engines = {
            (host, port): create_engine(
                url.set(drivername="postgresql+psycopg2", host=host, port=port, username=role)
            )
            for _, _, host, port, _ in shards
        }
        for table, shard, host, port, _ in shards:
            with engines[host, port].connect() as connection:
                if not connection.execute(
                    text("select has_table_privilege(cast(:name as text), 'select')"),
                    {"name": shard},
                ).scalar():
                    continue
                assert connection.execute(text(f"select count(*) from {shard}")).scalar() == 0, (
                    table
                )
                looked_at += 1
        for engine in engines.values():
            engine.dispose()
    assert looked_at > 100


def test_a_node_that_is_away_costs_its_own_workspaces_alone(both, told):
    """A node whose address is one where nobody listens, until it is written back."""
    citus, plain = both
    (node,) = statements(
        citus.url,
        "select nodeid, nodeport from pg_dist_node join pg_dist_placement using (groupid)"
        " where shardid = get_shard_id_for_distribution_column('workspace_usage_snapshot',"
        " (select id from workspace where slug = 'payments'))",
    )
    whole = plain.figures(90)
    try:
        statements(citus.url, f"update pg_dist_node set nodeport = 1 where nodeid = {node[0]}")
        part = citus.figures(90)
        with pytest.raises(AssertionError, match=r"node: .*:1 does not answer"):
            citus.typed("doctor")
    finally:
        statements(
            citus.url, f"update pg_dist_node set nodeport = {node[1]} where nodeid = {node[0]}"
        )
    assert whole["scope"]["unavailable"] == []
    assert "payments" in part["scope"]["unavailable"]
    assert citus.figures(90) == whole
