"""All checks in their order. Whatever can not be looked at is a finding too."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import psycopg2
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from settings import Settings
from storage import distributed, isolation
from storage.bounds.away import first_line
from storage.database import Database, driver_url
from web.health import sealed, structure, surroundings, work
from web.health.findings import HealthFinding
from web.health.made import given
from web.health.made.definitions import NUMBERS
from web.health.waiting import locks, pools

log = logging.getLogger("vigilo.health")
UNREACHABLE = (DBAPIError, psycopg2.Error, NoFreeConnection)
NOT_THERE = ("schema", "search path", NUMBERS)
"""Findings with which nothing more can be looked at."""
DATABASE, JOB = "database", "job role"
"""Findings about a database that is away, or does not let the job role in."""
NO_ANSWER = HealthFinding(
    DATABASE,
    "Look at the server (pg_isready), at the network between, and at pgbouncer where it is used.",
    "it takes connections and does not answer, or answers very late",
    True,
)


BEHIND_PGBOUNCER = ("closed the connection", "server_login_retry")
ASKED_AGAIN = (*BEHIND_PGBOUNCER, "query_wait_timeout")
AGAIN_SECONDS = 1.5
"""pgbouncer refuses who comes first after its database is back, and signs in anew within a second."""
REMEDIES = (
    (
        ("too many connections for",),
        "alter role NAME connection limit -1;   (of the role or the database that it names)",
    ),
    (
        ("not currently accepting connections",),
        "alter database vigilo allow_connections true;   (as a superuser; somebody has closed it)",
    ),
    (
        ("too many clients", "remaining connection slots", "too many connections"),
        'psql -d vigilo -c "select usename, client_addr, count(*) from pg_stat_activity group by 1, 2"'
        "   (whoever has too many ends some; else raise max_connections)",
    ),
    (
        ("authentication failed", "no password supplied"),
        "Set the role's password right in {variable}, and in pgbouncer's userlist.txt where it is used"
        " (a role whose time is over reads the same: alter role NAME valid until 'infinity';).",
    ),
    (
        ("certificate",),
        "Renew the server's certificate, or set sslrootcert and the host's name right in {variable}.",
    ),
    (
        ("pg_hba.conf",),
        "Add a line for the role, the database and the address that it names to pg_hba.conf, then:"
        " select pg_reload_conf();",
    ),
    (
        ("not permitted to log in",),
        "alter role NAME login;   (the role of {variable}; as a superuser)",
    ),
    (
        ("No space left", "could not extend file", "could not write"),
        "Make room on the disk of the database and of its pg_wal; a server that has ended itself is started"
        " again (systemctl start postgresql).",
    ),
    (
        ("could not translate host name", "No route to host", "Network is unreachable"),
        "Set the host of {variable} right, or look at the name server and at the network between.",
    ),
    (
        ("does not support SSL", "SSL error", "no encryption"),
        "Set sslmode of {variable} as the server has it (show ssl;), or pgbouncer's client_tls_sslmode.",
    ),
    (
        ("no such database", "no such user", "unsupported startup parameter"),
        "Compare pgbouncer.ini and userlist.txt with deploy/pgbouncer.ini, then: systemctl reload"
        " pgbouncer",
    ),
    (
        ("permission denied for database",),
        "grant connect on database vigilo to NAME;   (the role of {variable}; as a superuser)",
    ),
    (
        ("permission denied for",),
        "Give back the right that it names, and those that are told beside it, then look again.",
    ),
    (
        ("does not exist",),
        "Set {variable} right; a database that is gone: docs/operation.md, Restore.",
    ),
    (
        ("starting up", "shutting down", "recovery", "not yet accepting connections"),
        "Wait a moment, then look at the server's log.",
    ),
    (
        ("could not load library", "could not access file"),
        "Restart the server (systemctl restart postgresql): its programs were replaced under it.",
    ),
    (
        BEHIND_PGBOUNCER,
        "Look at the server behind pgbouncer (pg_isready) and at both logs, or set {variable} right.",
    ),
    (
        ("timeout expired",),
        "Look whether the server is frozen (its machine, its disk), at pgbouncer, at the network between.",
    ),
)
"""Words of a server, or of whoever answers for it, and what to do about them."""
TIME_LIMITS = {
    "due to statement timeout": "statement_timeout",
    "due to lock timeout": "lock_timeout",
}
"""Words of a server that broke off a statement, and the setting that had it do so."""
OVERLOADED = (
    "See what is slow or in the way: select pid, wait_event_type, query from pg_stat_activity;"
    "   (or the server's own limit is too short: alter system reset {setting})"
)
UNKNOWN = "Start the server (pg_isready), or set {variable} right."


def of_everything(
    database: Callable[[], Database], settings: Settings, *, asks_address: bool = True
) -> list[HealthFinding]:
    """Every finding, worst first; ``asks_address`` as for ``surroundings.findings``."""
    inside = of_the_database(database, settings)
    if inside and any(words in inside[0].detail for words in ASKED_AGAIN):
        time.sleep(AGAIN_SECONDS)
        inside = of_the_database(database, settings)
    around = surroundings.findings(settings, asks_address=asks_address)
    is_away = any(finding.brief in (DATABASE, JOB, pools.POOL) for finding in inside)
    is_asked = not is_away or any(
        words in finding.detail for finding in inside for words in TIME_LIMITS
    )
    waits = of_the_locks(database) if is_asked else []
    is_whole = not any(finding.brief in NOT_THERE for finding in inside)
    disk = [] if is_away else of_the_databases_disk(database)
    secrets = of_the_secrets(database, settings) if is_whole and not is_away else []
    problems = [*inside, *waits, *disk, *secrets, *around]
    return sorted(problems, key=lambda finding: not finding.must_not_serve)


def of_the_databases_disk(database: Callable[[], Database]) -> list[HealthFinding]:
    """Finding about the disk of the database; nothing where that is away, which is told already."""
    try:
        with database().job.connect() as connection:
            return list(surroundings.room(connection))
    except (*UNREACHABLE, OSError) as error:
        log.warning("the database's disk can not be looked at: %s", first_line(error))
        return []


def of_the_locks(database: Callable[[], Database]) -> list[HealthFinding]:
    """Findings about sessions that wait for locks, told even where they keep other looks from an answer;
    nothing where the database is away, as is told already."""
    try:
        with database().job.connect() as connection:
            return list(locks.findings(connection))
    except (*UNREACHABLE, OSError) as error:
        log.warning("locks can not be looked at: %s", first_line(error))
        return []


def of_the_secrets(database: Callable[[], Database], settings: Settings) -> list[HealthFinding]:
    """Findings about secrets that no key opens; nothing where the database is away, as is told already."""
    try:
        with database().job.connect() as connection:
            return list(sealed.findings(connection, settings))
    except (*UNREACHABLE, OSError) as error:
        log.warning("secrets can not be looked at: %s", first_line(error))
        return []


def of_the_database(database: Callable[[], Database], settings: Settings) -> list[HealthFinding]:
    """Findings about structure, clock and work."""
    try:
        with database().web.connect() as connection:
            problems = list(structure.findings(connection, database().roles))
            if not any(finding.brief in NOT_THERE for finding in problems):
                problems += given.findings(connection, database().roles, _backup_role(settings))
            problems += surroundings.clock(connection)
    except (*UNREACHABLE, OSError) as error:
        return _nodes_away(database, settings) or [
            _broken_off(database, DATABASE, error)
            or pools.finding_of(database, first_line(error))
            or _finding_of_error(DATABASE, "VIGILO_DATABASE_URL", error)
        ]
    if any(finding.brief in NOT_THERE for finding in problems):
        return problems
    try:
        with database().web.connect() as connection:
            problems += isolation_findings(connection, job=False)
        with database().job.connect() as connection:
            problems += work.findings(connection, settings)
            problems += surroundings.writes(connection)
            connection.rollback()
            problems += isolation_findings(connection, job=True)
    except UNREACHABLE as error:
        problems += _nodes_away(database, settings) or [
            _broken_off(database, JOB, error)
            or pools.finding_of(database, first_line(error))
            or _finding_of_error(JOB, "VIGILO_JOB_DATABASE_URL", error)
        ]
    return problems


def silence_finding(database: Callable[[], Database]) -> HealthFinding:
    """Finding about a database that has not answered within a moment, or a process that can not ask it."""
    return pools.full_pool_finding() if pools.is_full(database()) else NO_ANSWER


def _nodes_away(database: Callable[[], Database], settings: Settings) -> list[HealthFinding]:
    """A finding for each node of a cluster that is away. The others serve on: whatever such a node had was
    kept in when the process started, and is read by nobody until it is back."""
    if settings.distributed is None:
        return []
    try:
        with database().web.connect() as connection:
            away = distributed.nodes_away(connection)
    except UNREACHABLE as error:
        log.warning("the nodes can not be asked for: %s", first_line(error))
        return []
    remedy = "Start it, or look at the network between. A night that broke off goes on with the next run."
    detail = "does not answer: its workspaces can not be read, those of the other nodes can"
    return [HealthFinding("node", remedy, f"{address} {detail}") for address in away]


def _backup_role(settings: Settings) -> str | None:
    url = settings.backup_database_url
    return driver_url(url).username if url else None


def isolation_findings(connection: Connection, *, job: bool) -> Iterator[HealthFinding]:
    """Whatever the role sees without the right to it."""
    for name in isolation.leaks(connection, job=job):
        detail = f"the {'job' if job else 'web'} role is not kept out by row-level security: {name}"
        remedy = (
            "flask --app app db mend   (serve nobody; where that does not help: backup restore into an"
            " empty database)"
        )
        yield HealthFinding("isolation", remedy, detail, True)


def _broken_off(
    database: Callable[[], Database], brief: str, error: Exception
) -> HealthFinding | None:
    """Finding about a look that a limit of time ended, with the statement that takes the limit off."""
    line = first_line(error)
    setting = next((name for words, name in TIME_LIMITS.items() if words in line), None)
    if setting is None:
        return None
    here = database()
    names = [here.roles.web] if brief == DATABASE else [here.roles.job, here.roles.owner]
    type_this = ""
    try:
        with here.web.connect() as connection:
            type_this = given.without_time_limit(connection, setting, names)
    except UNREACHABLE as again:
        log.warning("limits of time can not be asked for: %s", first_line(again))
    if type_this:
        type_this += "   (as a superuser; then restart what serves)"
    return HealthFinding(brief, type_this or OVERLOADED.format(setting=setting), line, True)


def _finding_of_error(brief: str, variable: str, error: Exception) -> HealthFinding:
    """Finding about a database that does not answer, with what to do."""
    line = first_line(error)
    remedy = next(
        (remedy for words, remedy in REMEDIES if any(word in line for word in words)), UNKNOWN
    )
    return HealthFinding(brief, remedy.format(variable=variable), line, True)
