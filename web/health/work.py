"""Work that waits: nights, exports, mails. The clock is the database's, so that hosts agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection, text

from addresses import without_people
from settings import Settings
from storage.scheduled import nights
from web.health.findings import HealthFinding

EXPORT_WAITS, MAIL_WAITS = timedelta(minutes=10), timedelta(minutes=15)
EXPORTS = text("""
select count(*) as waiting, max(now() - created_at) as longest from export_job
where state = 'queued' or (state = 'running' and lease_until < now())
""")
MAILS = text("""
select count(*) as waiting, max(now() - created_at) as longest,
       (array_agg(error order by created_at) filter (where error is not null))[1] as error
from mail_outbox where state = 'queued'
""")
GIVEN_UP = text(
    "select count(*) from mail_outbox where state = 'failed' and created_at > now() - interval '2 days'"
)


def findings(connection: Connection, settings: Settings) -> Iterator[HealthFinding]:
    """Whatever waits longer than it should, read as the job role."""
    yield from _nights(connection, settings)
    exports = connection.execute(EXPORTS).one()
    if exports.waiting and exports.longest > EXPORT_WAITS:
        detail = f"{exports.waiting} wait, the longest for {_minutes(exports.longest)}"
        yield HealthFinding("exports", "flask --app app worker   (and its log)", detail)
    mails = connection.execute(MAILS).one()
    if mails.waiting and mails.longest > MAIL_WAITS:
        why = f"; the server's answer: {without_people(mails.error)}" if mails.error else ""
        detail = f"{mails.waiting} wait, the oldest for {_minutes(mails.longest)}{why}"
        yield HealthFinding("mails", "Set VIGILO_SMTP_URL right, then restart.", detail)
    if given_up := connection.execute(GIVEN_UP).scalar_one():
        detail = f"{given_up} could not be sent for a day and were given up"
        yield HealthFinding("mails", "People find their exports on the page Your exports.", detail)


def _nights(connection: Connection, settings: Settings) -> Iterator[HealthFinding]:
    state = nights.state(connection, settings.now())
    if state.is_missed:
        days = ", ".join(map(str, state.missing[:7]))
        more = f" and {len(state.missing) - 7} more" if len(state.missing) > 7 else ""
        type_this = "flask --app app schedule run"
        if settings.scheduler:
            type_this += "   (a serving process does it too: see its log)"
        yield HealthFinding("snapshots", type_this, f"missing: {days}{more}")
    elif state.last_run is not None and state.last_run.failures:
        detail = f"the last night failed in {len(state.last_run.failures)} workspaces"
        yield HealthFinding(
            "snapshots", "Look at the page Nights, then: flask --app app snapshot run", detail
        )


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:,.0f} minutes"
