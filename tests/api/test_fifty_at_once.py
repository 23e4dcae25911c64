"""Fifty people open the page in the second after a new snapshot: it is computed once, across processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from sqlalchemy import text

from tests.served import Web, signed_in
from tests.webworld import API, DAY, EXECUTIVE, make
from tests.world import at

PEOPLE = 50
ARGUMENTS = "text, bigint, date[], date, int, int"
COUNTING = f"""
create sequence vigilo.readings;
grant usage on sequence vigilo.readings to public;
alter function vigilo.rows_in_context({ARGUMENTS}) rename to rows_in_context_itself;
create function vigilo.rows_in_context(
    level text, workspace bigint, days date[], named_on date, first_block int, last_block int,
    out failed text, out usage bytea, out frameworks text[], out compliance bytea[], out blocks bytea,
    out lead_time bytea, out recovery_time bytea, out ack_time bytea, out resolve_time bytea,
    out usage_names jsonb, out compliance_names jsonb
)
language plpgsql as $$
begin
    perform nextval('vigilo.readings');
    select r.* into failed, usage, frameworks, compliance, blocks, lead_time, recovery_time, ack_time,
        resolve_time, usage_names, compliance_names
    from vigilo.rows_in_context_itself(level, workspace, days, named_on, first_block, last_block) r;
end $$;
"""
RESTORED = f"""
drop function vigilo.rows_in_context({ARGUMENTS});
alter function vigilo.rows_in_context_itself({ARGUMENTS}) rename to rows_in_context;
drop sequence vigilo.readings;
"""
OUTPUTS = ("page.children", "live.children", "account.children")
VIEW = {"path": EXECUTIVE, "links": {}, "domain": "", "measure": "", "mode": "cards", "find": ""}


@pytest.fixture
def counted(database) -> Iterator[None]:
    """The database counts how often a workspace's rows are read."""
    with database.owner.begin() as connection:
        connection.exec_driver_sql(COUNTING)
    yield
    with database.owner.begin() as connection:
        connection.exec_driver_sql(RESTORED)


def readings(database) -> int:
    with database.owner.connect() as connection:
        query = "select case when is_called then last_value else 0 end from vigilo.readings"
        return int(connection.execute(text(query)).scalar_one())


def page(web: Web, browser: requests.Session) -> str:
    """The callback that draws the figures."""
    places = [dict(zip(("id", "property"), o.split("."), strict=True)) for o in OUTPUTS]
    body = {
        "output": f"..{'...'.join(OUTPUTS)}..",
        "outputs": places,
        "inputs": [
            {"id": "view", "property": "data", "value": VIEW | {"pins": [], "period": "28"}}
        ],
        "changedPropIds": ["view.data"],
        "state": [],
    }
    return browser.post(f"{web.address}/_dash-update-component", json=body, timeout=60).text


def answer(web: Web, browser: requests.Session) -> str:
    """The same figures as JSON."""
    return browser.get(f"{web.address}{API}?period=28", timeout=60).text


def test_a_new_snapshot_is_computed_once_for_all(database, settings, tmp_path, counted):
    made = make(database, settings)
    web = Web.over(database, tmp_path, workers=2)
    try:
        web.start()
        alice = signed_in(web)
        before = answer(web, alice)
        late = {"key": "late", "completed_at": at(DAY, 10), "outcome": "failed"}
        made.world.add(made.world.alpha, "deployment", [late])
        made.world.backfill(DAY - timedelta(days=1), DAY)
        asked, together = readings(database), threading.Barrier(PEOPLE)

        def one(n: int) -> str:
            own = requests.Session()
            own.cookies.update(alice.cookies)
            own.headers.update(alice.headers)
            together.wait()
            return (page if n % 2 else answer)(web, own)

        with ThreadPoolExecutor(PEOPLE) as pool:
            answers = list(pool.map(one, range(PEOPLE)))
    finally:
        web.kill()
    assert readings(database) - asked == 2, "alpha and beta, each of them once"
    assert len(set(answers[1::2])) == 1
    said = {a.split('"generated_at"')[0] for a in answers[::2]}
    assert len(said) == 1
    assert before not in answers
