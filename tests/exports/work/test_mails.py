"""Mails of exports: servers that are away, files where there is none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text

from aggregators.vocabulary import formats
from auth.joining import invitations
from exports import mail, worker
from exports.worker import ExportContext
from scheduling import night
from scheduling.context import ScheduleContext
from settings import load as load_settings
from storage.scheduled import nights
from tests.conftest import TODAY
from tests.exports.work.jobs import put
from tests.exports.work.postbox import Postbox
from tests.exports.work.test_killed_workers import free_port
from web.people.inviting import Inviting


def test_smtp_down_for_an_hour_and_back_every_mail_arrives_once(here):
    place, _ = here
    ids = {str(put(here)) for _ in range(3)}
    port = free_port()
    settings = place.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
    place = ExportContext(place.database, settings)
    begun = datetime.now(UTC)
    while worker.make_next(place):
        pass
    sent = 0
    for minute in range(60):
        sent += mail.deliver(place.database.job, settings, begun + timedelta(minutes=minute))
    assert sent == 0
    postbox = Postbox()
    postbox.refuses = True
    server = Controller(postbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        assert mail.deliver(place.database.job, settings, begun + timedelta(minutes=95)) == 0
        postbox.refuses = False
        assert mail.deliver(place.database.job, settings, begun + timedelta(minutes=130)) == 3
        assert mail.deliver(place.database.job, settings, begun + timedelta(hours=9)) == 0
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


def test_invitations_and_word_of_nights_wait_for_a_server_that_is_away_and_arrive_once(
    here, caplog
):
    place, web = here
    port = free_port()
    settings = place.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
    jobs = place.database.job
    late = settings.model_copy(update={"today": TODAY + timedelta(days=2)})
    with jobs.connect() as connection:
        state = nights.state(connection, late.now())
    context = ScheduleContext(place.database, late)
    assert [night.mail_if_missed(context) for _ in range(3)] == [1, 0, 0]
    inviting = Inviting(jobs, settings, (web.world.alpha, "alpha"))
    inviting.invite("new@x.example", "viewer")
    begun = datetime.now(UTC)
    assert not any(
        mail.deliver(jobs, settings, begun + timedelta(minutes=minute)) for minute in range(60)
    )
    told = [record.getMessage() for record in caplog.records if "did not go" in record.getMessage()]
    assert all("Connection refused" in line and "@" not in line for line in told)
    assert {line.split(",")[0].split()[1] for line in told} == waiting(jobs)
    postbox = Postbox()
    server = Controller(postbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        for hours in (2, 9):
            mail.deliver(jobs, settings, begun + timedelta(hours=hours))
    finally:
        server.stop()
    arrived = {each["To"]: each for each in postbox.mails}
    assert sorted(arrived) == ["alice@x.example", "new@x.example"]
    assert len(postbox.mails) == 2
    assert (
        f"snapshot of {formats.day(state.missing[0])} is missing"
        in (arrived["alice@x.example"]["Subject"])
    )
    body = arrived["new@x.example"].get_body(("plain",)).get_content()
    (link,) = re.findall(rf"{settings.address}/invitation/(\S+)", body)
    assert invitations.open_invitation(jobs, link).email == "new@x.example", "the link opens"


def waiting(jobs) -> set[str]:
    """Ids of the mails that wait."""
    with jobs.connect() as connection:
        query = text("select id::text from mail_outbox where state = 'queued'")
        return set(connection.execute(query).scalars())


def test_a_mail_that_can_not_go_for_a_day_is_given_up(here):
    place, _ = here
    put(here)
    settings = place.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{free_port()}"})
    worker.make_next(ExportContext(place.database, settings))
    later = datetime.now(UTC) + timedelta(hours=25)
    assert mail.deliver(place.database.job, settings, later) == 0
    with place.database.job.connect() as connection:
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
    quick = ExportContext(
        place.database, place.settings.model_copy(update={"export_sync_seconds": 60})
    )
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
    found = mail.mail_server(url, "https://vigilo.example.com")
    assert (found.port, found.over_tls, found.demands_tls) == (port, over, demands)
    assert found.sender == "vigilo@vigilo.example.com"
    assert found.password in (None, "p@")
