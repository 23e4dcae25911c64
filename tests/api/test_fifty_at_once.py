"""Fifty people open the page in the second after a new snapshot: it is computed once, across processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import requests
from sqlalchemy import text

from tests.served import ServedWeb, signed_in
from tests.webworld import API, DAY, EXECUTIVE, make
from tests.world import at

PEOPLE = 50
READ = "vigilo.rows_in_context"
DECLARED = r"""
select pg_get_function_arguments(oid), proargnames[1\:pronargs], proargnames[pronargs + 1\:]
from pg_proc where oid = cast(:name as regproc)
"""
COUNTING = """
create sequence vigilo.readings;
grant usage on sequence vigilo.readings to public;
alter function {read} rename to rows_in_context_itself;
create function {read}({declared}) language plpgsql as $$
begin
    perform nextval('vigilo.readings');
    select r.* into {gives} from {read}_itself({takes}) r;
end $$;
"""
RESTORED = f"""
drop function {READ};
alter function {READ}_itself rename to rows_in_context;
drop sequence vigilo.readings;
"""
OUTPUTS = ("page.children", "live.children")
VIEW = {"path": EXECUTIVE, "links": {}, "domain": "", "measure": "", "mode": "cards", "find": ""}


@contextmanager
def counted(database) -> Iterator[None]:
    """The database counts how often a workspace's rows are read, by a function that no migration made: a
    process that begins meanwhile is not ready."""
    with database.owner.begin() as connection:
        declared, takes, gives = connection.execute(text(DECLARED), {"name": READ}).one()
        said = {"takes": ", ".join(takes), "gives": ", ".join(gives)}
        connection.exec_driver_sql(COUNTING.format(read=READ, declared=declared, **said))
    try:
        yield
    finally:
        with database.owner.begin() as connection:
            connection.exec_driver_sql(RESTORED)


def readings(database) -> int:
    with database.owner.connect() as connection:
        query = "select case when is_called then last_value else 0 end from vigilo.readings"
        return int(connection.execute(text(query)).scalar_one())


def page(web: ServedWeb, browser: requests.Session) -> str:
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


def answer(web: ServedWeb, browser: requests.Session) -> str:
    """Figures as JSON."""
    return browser.get(f"{web.address}{API}?period=28", timeout=60).text


def test_a_new_snapshot_is_computed_once_for_all(database, settings, tmp_path):
    made = make(database, settings)
    web = ServedWeb.over(database, tmp_path, workers=2)
    try:
        web.start()
        with counted(database):
            before, answers, asked = at_once(made, web, database)
            assert readings(database) - asked == 2, "alpha and beta, each of them once"
    finally:
        web.kill()
    assert len(set(answers[1::2])) == 1
    said = {a.split('"generated_at"')[0] for a in answers[::2]}
    assert len(said) == 1
    assert before not in answers


def at_once(made, web: ServedWeb, database) -> tuple[str, list[str], int]:
    """Answer before a snapshot, those of everybody right after it, and the readings in between."""
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
        return before, list(pool.map(one, range(PEOPLE))), asked
