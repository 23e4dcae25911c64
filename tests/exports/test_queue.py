"""The queue of exports, one rule at a time."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from openpyxl import load_workbook
from sqlalchemy import text

from aggregators.period import Ask
from aggregators.read import read
from api.encode import dashboard_json
from exports import files, jobs, mail, queue, tables, worker
from exports.worker import Place
from settings import load as load_settings
from tests.exports.postbox import Postbox
from tests.exports.test_killed_workers import free_port
from tests.webworld import make


@pytest.fixture
def here(database, settings, tmp_path):
    """A place of its own, and Alice."""
    web = make(database, settings)
    own = settings.model_copy(update={"data_dir": tmp_path, "export_sync_seconds": 0})
    return Place(database, own), web


def put(here, who="alice", form="pdf", **params):
    place, web = here
    return queue.put(
        place.database.web, web.people[who], params or {"period": "7"}, form, ["alpha"]
    )


def row(here, id):
    with here[0].database.web.connect() as connection:
        query = text("select * from export_job where id = :id")
        return connection.execute(query, {"id": id}).one()


def silent(here, id):
    """Its worker has gone silent: the lease ran out."""
    with here[0].database.web.begin() as connection:
        statement = "update export_job set lease_until = now() - interval '1 second' where id = :id"
        connection.execute(text(statement), {"id": id})


def test_a_job_is_claimed_once_however_many_ask(here):
    engine = here[0].database.web
    ids = {put(here) for _ in range(3)}
    start, found = threading.Barrier(8), []

    def claim():
        start.wait()
        found.append(queue.claim(engine))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claimed = [held.id for held in found if held]
    assert len(claimed) == len(set(claimed)) <= 3
    while held := queue.claim(engine):
        claimed.append(held.id)
    assert set(claimed) == ids


def test_at_most_three_run_for_one_person_and_others_are_not_held_up(here):
    place, web = here
    for _ in range(5):
        put(here)
    web.world.member(web.people["dave"], web.world.alpha, "platform_admin")
    other = put(here, "dave")
    held = [queue.claim(place.database.web) for _ in range(5)]
    assert [h.viewer.email for h in held if h] == ["alice@x.example"] * 3 + ["dave@x.example"]
    assert held[3].id == other


def test_what_a_slow_worker_does_after_its_lease_is_discarded(here):
    place, _ = here
    id = put(here)
    slow = queue.claim(place.database.web)
    silent(here, id)
    quick = queue.claim(place.database.web)
    assert (quick.id, quick.attempt) == (id, 2)
    assert not queue.beat(place.database.web, slow)
    with pytest.raises(worker.Lost):
        worker._make(place, slow)
    assert row(here, id).state == "running"
    worker._make(place, quick)
    assert row(here, id).state == "ready"
    queue.fail(place.database.web, slow, "late", again=False)
    assert row(here, id).state == "ready"
    assert {p.name for p in place.folder.iterdir()} == {f"{id}-2.pdf"}


def test_three_silent_workers_end_a_job_with_a_reason(here):
    place, _ = here
    id = put(here)
    for _ in range(3):
        assert queue.claim(place.database.web).id == id
        silent(here, id)
    assert queue.claim(place.database.web) is None
    assert queue.sweep(place.database.web) == 1
    assert row(here, id).state == "failed"
    assert "three times" in row(here, id).error


def test_the_heartbeat_keeps_a_slow_job(here, monkeypatch):
    place, _ = here
    id = put(here)
    drawn = worker._drawn

    def slowly(*given):
        threading.Event().wait(1.5)
        assert queue.claim(place.database.web) is None
        return drawn(*given)

    monkeypatch.setattr(worker, "_drawn", slowly)
    assert worker.work(place, lease=0.6)
    assert (row(here, id).state, row(here, id).attempt) == ("ready", 1)


def test_a_cancelled_job_stops_at_its_next_step_and_leaves_no_file(here, monkeypatch):
    place, web = here
    id = put(here)
    drawn = worker._drawn

    def cancelled(*given):
        assert queue.cancel(place.database.web, web.people["alice"], id)
        return drawn(*given)

    monkeypatch.setattr(worker, "_drawn", cancelled)
    assert worker.work(place)
    assert row(here, id).state == "cancelled"
    assert not place.folder.exists() or not list(place.folder.iterdir())
    assert not queue.cancel(place.database.web, web.people["bob"], put(here))


@contextmanager
def small_disk(folder):
    """A disk of its own with room for half a pack."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("not permitted to mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def quota(_folder):
    """No file of this process grows beyond half a pack."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (32 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("full", "reason"), [(small_disk, "No space left on device"), (quota, "File too large")]
)
def test_a_full_disk_fails_the_job_with_its_reason_and_no_partial_file(here, full, reason):
    place, web = here
    alice, id = web.people["alice"], put(here)
    with full(place.folder):
        assert worker.work(place)
        assert row(here, id).state == "failed"
        assert row(here, id).error == f"The file could not be written: {reason}."
        assert list(place.folder.iterdir()) == []
        with pytest.raises(jobs.NotYours):
            jobs.fetch(place.database.web, place.folder, alice, id, ["alpha", "beta"])
    later = put(here)
    assert worker.work(place)
    found = jobs.fetch(place.database.web, place.folder, alice, later, ["alpha", "beta"])
    assert len(found.data) > 32 * 1024


def test_an_error_while_drawing_is_tried_three_times(here, monkeypatch):
    place, _ = here
    id = put(here)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(worker, "_drawn", broken)
    for attempt in (1, 2, 3):
        assert worker.work(place)
        assert row(here, id).attempt == attempt
    assert not worker.work(place)
    assert row(here, id).state == "failed"


def test_the_scope_is_the_one_of_the_moment_it_is_drawn(here):
    place, web = here
    id, none = put(here), put(here)
    web.world.revoke(web.people["alice"], web.world.beta)
    assert worker.work(place)
    assert list(row(here, id).scope) == ["alpha"]
    web.world.revoke(web.people["alice"], web.world.alpha)
    assert worker.work(place)
    assert row(here, none).state == "failed"
    assert "platform admin of no workspace" in row(here, none).error


def test_nobody_has_more_than_twenty_waiting(here):
    for _ in range(queue.OPEN_A_USER):
        put(here)
    with pytest.raises(queue.TooMany, match="20 exports"):
        put(here)


def test_the_janitor_removes_what_is_out_of_time_and_what_nobody_knows(here):
    place, _ = here
    kept, old = put(here), put(here)
    worker.drain(place)
    (place.folder / "stray.pdf").write_bytes(b"x")
    with place.database.web.begin() as connection:
        connection.execute(
            text("update export_job set expires_at = now() where id = :id"), {"id": old}
        )
    assert files.clean(place.database.web, place.folder) == 1  # the stray one may be in the making
    assert files.clean(place.database.web, place.folder, orphan_seconds=-1) == 1
    assert [p.name for p in place.folder.iterdir()] == [row(here, kept).file_key]
    assert row(here, old).state == "expired"


def test_smtp_down_for_an_hour_and_back_every_mail_arrives_once(here):
    place, _ = here
    ids = {str(put(here)) for _ in range(3)}
    port = free_port()
    settings = place.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
    place = Place(place.database, settings)
    begun = datetime.now(UTC)
    while worker.work(place):
        pass
    sent = 0
    for minute in range(60):
        sent += mail.deliver(place.database.web, settings, begun + timedelta(minutes=minute))
    assert sent == 0
    postbox = Postbox()
    postbox.refuses = True
    server = Controller(postbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        assert mail.deliver(place.database.web, settings, begun + timedelta(minutes=95)) == 0
        postbox.refuses = False
        assert mail.deliver(place.database.web, settings, begun + timedelta(minutes=130)) == 3
        assert mail.deliver(place.database.web, settings, begun + timedelta(hours=9)) == 0
    finally:
        server.stop()
    assert {i.split("@")[0].removeprefix("<export-") for i in postbox.ids} == ids
    assert len(postbox.ids) == 3
    found = postbox.mails[0]
    assert found["To"] == "alice@x.example"
    assert found["Auto-Submitted"] == "auto-generated"
    plain = found.get_body(("plain",)).get_content()
    rich = found.get_body(("html",)).get_content()
    for body in (plain, rich):
        assert "2026-11-16 to 2026-11-22" in body
        assert "2 workspaces" in body
        assert f"{settings.address}/exports/" in body
        assert "token" not in body


def test_a_mail_that_can_not_go_for_a_day_is_given_up(here):
    place, _ = here
    put(here)
    settings = place.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{free_port()}"})
    worker.work(Place(place.database, settings))
    later = datetime.now(UTC) + timedelta(hours=25)
    assert mail.deliver(place.database.web, settings, later) == 0
    with place.database.web.connect() as connection:
        state, error = connection.execute(text("select state, error from mail_outbox")).one()
    assert state == "failed"
    assert "refused" in error


def test_without_a_server_mails_are_files(here):
    place, _ = here
    id = put(here)
    worker.drain(place)
    (path,) = (place.settings.data_dir / "mails").iterdir()
    assert path.name == f"{id}.eml"
    assert f"Message-ID: <export-{id}@127.0.0.1>" in path.read_text()


def test_a_quick_export_needs_no_mail(here):
    place, web = here
    quick = Place(place.database, place.settings.model_copy(update={"export_sync_seconds": 60}))
    put((quick, web))
    worker.drain(quick)
    assert not (quick.settings.data_dir / "mails").exists()


@pytest.mark.parametrize("wrong", ["http://x", "smtp://", "mail.example.com"])
def test_a_wrong_mail_server_stops_the_start(wrong):
    with pytest.raises(SystemExit, match=r"VIGILO_SMTP_URL.*smtp://"):
        load_settings(smtp_url=wrong)


@pytest.mark.parametrize(
    ("url", "port", "over", "demands"),
    [
        ("smtp://mail", 25, False, False),
        ("smtp://u:p%40@mail", 587, False, True),
        ("smtps://mail", 465, True, False),
        ("smtp://mail:2525?tls=required", 2525, False, True),
    ],
)
def test_mail_servers(url, port, over, demands):
    found = mail.server(url, "https://vigilo.example.com")
    assert (found.port, found.over_tls, found.demands_tls) == (port, over, demands)
    assert found.sender == "vigilo@vigilo.example.com"
    assert found.password in (None, "p@")


class TestFormats:
    def made(self, here, form):
        place, web = here
        id = put(here, form=form, start="2026-11-01", end="2026-11-22")
        worker.drain(place)
        found = jobs.fetch(
            place.database.web, place.folder, web.people["alice"], id, ["alpha", "beta"]
        )
        assert found.filename == f"vigilo-executive-20261123.{form}"
        ask = Ask(None, date(2026, 11, 1), date(2026, 11, 22))
        return found, read(place.database, web.people["alice"], ask, place.settings)

    def test_json_is_the_apis(self, here):
        found, dashboard = self.made(here, "json")
        said = json.loads(found.data)
        expected = json.loads(json.dumps(dashboard_json(dashboard), default=str))
        assert said["domains"][0]["measures"]["change_failure_rate"]["value"] == pytest.approx(
            expected["domains"][0]["measures"]["change_failure_rate"]["value"]
        )
        assert [d["key"] for d in said["domains"]] == [d["key"] for d in expected["domains"]]

    def test_csv_has_every_figure(self, here):
        found, dashboard = self.made(here, "csv")
        lines = found.data.decode("utf-8-sig").splitlines()
        assert lines[0].split(",") == list(tables.COLUMNS)
        assert len(lines) - 1 == len(list(tables.rows(dashboard)))
        rate = dashboard.scorecard("dora").figures["change_failure_rate"]
        mine = next(x for x in lines if x.startswith("dora,,Organisation,,change_failure_rate"))
        assert float(mine.split(",")[7]) == rate.value
        assert ".0," not in found.data.decode()
        assert {tuple(x.split(",")[-2:]) for x in lines[1:]} == {("2026-11-01", "2026-11-22")}

    def test_xlsx_has_typed_cells_and_a_frozen_header(self, here):
        found, dashboard = self.made(here, "xlsx")
        book = load_workbook(io.BytesIO(found.data))
        assert book.sheetnames[0] == "About"
        assert len(book.sheetnames) == 1 + len(dashboard.scorecards)
        sheet = book["Delivery (DORA)"]
        assert sheet.freeze_panes == "D2"
        head = [cell.value for cell in sheet[1]]
        assert head == list(tables.COLUMNS)
        rate = next(r for r in sheet.iter_rows(min_row=2) if r[4].value == "change_failure_rate")
        value = rate[head.index("value")]
        assert (value.data_type, value.number_format) == ("n", "0.0%")
        assert value.value == dashboard.scorecard("dora").figures["change_failure_rate"].value


def test_no_name_becomes_a_formula(here):
    place, web = here
    evil = '=HYPERLINK("http://x","y")'
    with place.database.job.begin() as connection:
        connection.execute(text("update workspace set name = :n where slug = 'alpha'"), {"n": evil})
    dashboard = read(place.database, web.people["alice"], Ask(7), place.settings)
    csv_text = tables.as_csv(dashboard).decode("utf-8-sig")
    assert "\"'=HYPERLINK" in csv_text
    assert ',"=HYPERLINK' not in csv_text
    book = load_workbook(
        io.BytesIO(
            tables.as_xlsx(
                dashboard,
                requested_by="=cmd@x.example",
                exported_at=place.settings.now(),
                export_id="x",
            )
        )
    )
    cells = [c for sheet in book for line in sheet.iter_rows() for c in line]
    assert any(c.value == evil for c in cells)
    assert all(c.quotePrefix for c in cells if c.value in (evil, "=cmd@x.example"))
    assert all(c.data_type != "f" and c.hyperlink is None for c in cells)
