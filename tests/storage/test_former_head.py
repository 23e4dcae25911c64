"""Data of the former head, migration 0012, are the same after the upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, text

from reading.decoding import row_type
from storage import schema
from storage.executive import encoded_rows
from storage.snapshot.columns import COLUMNS
from tests.conftest import TODAY
from tests.storage.upgrade.former_database import brought_up

LAST = TODAY - timedelta(days=1)
OLD_LABELS = {"oldest_open_incident": "INC-1", "next_review_vendor": "Acme"}
RECORDED = """
insert into workspace (slug, name) values ('team', 'Team');
insert into workspace_usage_snapshot (workspace_id, snapshot_date, computed_at, changed_at, days_total,
    successful_deployments_total, ended_deployments_total, failed_deployments_total,
    incidents_opened_total, incidents_acknowledged_total, ack_seconds_total, incidents_resolved_total,
    resolve_seconds_total, postmortems_due_total, postmortems_published_total,
    open_p1, fastest_burn, lead_time_p50_28, member_count, oldest_open_incident, next_review_vendor)
select 1, d::date, now(), now(), n, n, 2 * n, n / 2.0, 3 * n, n, n * 60.5, n, n * 1e6, n, 0, n,
       'Infinity', 86400.25, 7, case when mod(n, 2) = 0 then 'INC-1' end, 'Acme'
from generate_series(date '{last}' - 9, date '{last}', interval '1 day') with ordinality as g(d, n);
insert into compliance_snapshot_history (workspace_id, framework, snapshot_date, computed_at, compliant,
    days_to_lapse, lapse_control)
select 1, 'SOC2', date '{last}', now(), 5, 12, 'CC6.1';
insert into duration_block (workspace_id, block, lead_time, resolve_time)
values (1, 640, '\\x08010001', null), (1, 641, null, '\\x08020003');
"""


@pytest.fixture
def former(server) -> Iterator[Connection]:
    """A database of its own at migration 0012, with rows as they were written then."""

    def fill(connection: Connection) -> None:
        connection.exec_driver_sql(RECORDED.format(last=LAST))

    with brought_up(server, "former", "0012", fill) as connection:
        yield connection


def test_every_stored_number_label_and_duration_is_the_same(former):
    rows = list(
        former.execute(
            text("select * from workspace_usage_snapshot order by snapshot_date")
        ).mappings()
    )
    assert [row["days_total"] for row in rows] == list(range(1, 11))
    last = rows[-1]
    assert (last["ack_seconds_total"], last["fastest_burn"]) == (605.0, float("inf"))
    assert (last["lead_time_p50_28"], last["member_count"]) == (86400.25, 7)
    assert last["labels"] == OLD_LABELS
    assert rows[-2]["labels"] == {"next_review_vendor": "Acme"}
    (control,) = former.execute(text("select * from compliance_snapshot_history")).mappings()
    assert (control["compliant"], control["labels"]) == (5, {"lapse_control": "CC6.1"})
    blocks = former.execute(
        text("select distribution, group_key, block, data from duration_block order by block")
    )
    assert [(*row[:3], bytes(row[3])) for row in blocks] == [
        ("lead_time", "", 640, b"\x08\x01\x00\x01"),
        ("resolve_time", "", 641, b"\x08\x02\x00\x03"),
    ]


def test_what_the_reader_unpacks_is_what_stands_in_the_columns(former):
    layout = encoded_rows.number_layout(former)
    for columns in COLUMNS:
        for row in former.execute(text(f"select * from {columns.table}")).mappings():
            of = row_type(layout[columns.table])
            (unpacked,) = np.frombuffer(bytes(4) + bytes(row["packed"]), of)["numbers"]
            for name, value in zip(layout[columns.table], unpacked, strict=True):
                assert (None if np.isnan(value) else value) == row[name], name


def test_it_is_current_and_an_upgrade_of_an_empty_database_looks_alike(former, server):
    assert schema.is_current(former)
    query = (
        "select table_name, column_name, data_type, is_nullable from information_schema.columns"
        " where table_schema = 'public' order by 1, 2"
    )
    with server.owner.connect() as connection:
        assert former.execute(text(query)).all() == connection.execute(text(query)).all()
