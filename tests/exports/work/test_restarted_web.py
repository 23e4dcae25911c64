"""The web process is killed in mid-job and started again: the export arrives, once."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller
from pypdf import PdfReader
from sqlalchemy import text

from aggregators.catalogue import DOMAINS
from exports import files
from tests.deep import all_but
from tests.exports.work.postbox import Postbox
from tests.exports.work.test_killed_workers import free_port
from tests.served import ServedWeb, signed_in, until
from tests.webworld import make

MOMENTS = {
    "while it reads": DOMAINS[0].table,
    "when its file is whole, not yet told": "mail_outbox",
}
"""When it is killed: the table that the job finds locked then."""


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    """A mail server's memory, and its port."""
    found, port = Postbox(), free_port()
    server = Controller(found, hostname="127.0.0.1", port=port)
    server.start()
    yield found, port
    server.stop()


@pytest.fixture
def web(database, settings, tmp_path, postbox) -> Iterator[ServedWeb]:
    make(database, settings)
    served = ServedWeb.over(
        database,
        tmp_path,
        VIGILO_EXPORT_SYNC_SECONDS="0",
        VIGILO_SMTP_URL=f"smtp://127.0.0.1:{postbox[1]}",
    )
    yield served
    served.kill()


@contextmanager
def locked(database, table: str) -> Iterator[None]:
    """Whoever needs the table waits."""
    with database.owner.begin() as connection:
        connection.execute(text(f"lock table {table} in access exclusive mode"))
        yield


def somebody_waits_for(database, table: str) -> bool:
    query = text(
        "select exists (select from pg_locks l join pg_class c on c.oid = l.relation"
        " where c.relname = :table and not l.granted)"
    )
    with database.job.connect() as connection:
        return bool(connection.execute(query, {"table": table}).scalar_one())


def row(database, id: str):
    with database.job.connect() as connection:
        return connection.execute(text("select * from export_job where id = :i"), {"i": id}).one()


def mails(database) -> list[str]:
    with database.job.connect() as connection:
        return list(connection.execute(text("select state from mail_outbox")).scalars())


@pytest.mark.parametrize("moment", all_but(["while it reads"], MOMENTS))
def test_an_export_outlives_the_web_process(web, database, tmp_path, postbox, moment):
    web.start()
    browser, table = signed_in(web), MOMENTS[moment]
    with locked(database, table):
        asked = browser.post(f"{web.address}/exports", json={"period": "28"})
        assert asked.status_code == 202
        until(lambda: somebody_waits_for(database, table))
        web.kill()
    id, href = asked.json()["id"], web.address + asked.json()["href"]
    assert (row(database, id).state, row(database, id).attempt) == ("running", 1)
    left = [path.name for path in (tmp_path / "exports").glob("*")]
    assert left == ([f"{id}-1.pdf"] if table == "mail_outbox" else [])
    with database.job.begin() as connection:  # a minute goes by
        late = "update export_job set lease_until = now() - interval '1 second' where id = :i"
        connection.execute(text(late), {"i": id})

    web.start()
    until(lambda: browser.get(f"{href}/state").json()["state"] == "ready")
    file = browser.get(href).content
    assert len(PdfReader(io.BytesIO(file)).pages) > 7
    made = row(database, id)
    assert (made.attempt, made.file_key) == (2, f"{id}-2.pdf")
    assert hashlib.sha256(file).digest() == bytes(made.sha256)
    until(lambda: mails(database) == ["sent"])
    files.clean(database.job, tmp_path / "exports", orphan_seconds=0)
    assert [path.name for path in (tmp_path / "exports").iterdir()] == [f"{id}-2.pdf"]
    web.kill()
    assert len(postbox[0].ids) == 1
    assert postbox[0].ids[0].startswith(f"<export-{id}@")
