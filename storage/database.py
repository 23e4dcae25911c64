"""The connections of one installation: which server, which role for what."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg2
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from settings import Settings
from storage import distributed, embedded, isolation, schema
from storage.bounds import liveness
from storage.bounds.silence import LOOKS, OPERATORS_LOOKS, SilenceWatch, watched_factory
from storage.bounds.statement import STATEMENT_SECONDS
from storage.replica import Replica
from storage.roles import Roles

if TYPE_CHECKING:
    from storage.migrations.mending import Difference

log = logging.getLogger(__name__)

EMBEDDED_ROLES = Roles()
NO_JOB = (
    "VIGILO_JOB_DATABASE_URL: needed with VIGILO_DATABASE_URL; takes the job role's address. Commands that"
    " an operator runs take VIGILO_OWNER_DATABASE_URL as well; migrating needs that one."
)
NO_ROOM = """
do $$
declare f regprocedure;
begin
    for f in select p.oid from pg_proc p
             where p.pronamespace = 'pg_catalog'::regnamespace
               and p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'pg_logical_emit_message')
               and has_function_privilege('public', p.oid, 'execute') loop
        execute format('revoke execute on function %%s from public', f);
    end loop;
end $$
"""
"""Room on the disk that anybody could take who can connect: objects of no table, and messages in the log.
As deploy/roles.sql says it of a server of the operator's."""
BOUNDED = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'vigilo_web') then
        create role vigilo_web login {settings};
    end if;
    alter role vigilo_web set temp_file_limit = '2GB';
end $$
"""
"""Files into which a statement spills, unbounded by default; a superuser alone sets that."""
OWN_ALONE = """
do $$
declare own text;
begin
    if has_database_privilege('public', current_database(), 'connect') then
        execute format('revoke connect on database %%I from public', current_database());
    end if;
    for own in select rolname from pg_roles where rolname in ('vigilo_web', 'vigilo_job')
               and not has_database_privilege(oid, current_database(), 'connect') loop
        execute format('grant connect on database %%I to %%I', current_database(), own);
    end loop;
end $$
"""
"""Roles of the program alone connect to its database; those that are not made yet get the right then."""
MOST_OVERFLOW = 20
"""Connections of an engine beyond the ten that it keeps."""
LIFE_SIGNS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""Bounds of libpq (seconds; the second in ms) after which a machine that has vanished is given up: the
kernel alone would wait for a quarter of an hour. One that computes for long is there all the same."""


class UnsafeRole(SystemExit):
    """The web role could read past row-level security: the program must not serve."""


@dataclass(frozen=True, slots=True)
class Database:
    """``web`` serves requests, ``job`` imports and makes snapshots, ``owner`` migrates.

    ``owner`` is None with an external database whose owner's address is not given, ``replica``
    without a read replica.
    """

    web: Engine
    job: Engine
    owner: Engine | None
    roles: Roles
    replica: Replica | None = None

    @property
    def reader(self) -> Engine | Replica:
        """Where the executive dashboard reads: the replica while it is not behind, else ``web``. It
        shows what was committed before ``connect``; it writes nothing."""
        return self.replica or self.web

    def upgrade(self, settings: Settings) -> None:
        """Brings the schema up to date. Raises SystemExit without the owner's address."""
        if self.owner is None:
            raise SystemExit(
                "VIGILO_OWNER_DATABASE_URL: needed to migrate; takes the owner's address."
            )
        with self.owner.begin() as connection:
            schema.upgrade(
                connection,
                self.roles,
                strict_residency=settings.strict_residency,
                time_zone=settings.time_zone,
                distributed=settings.distributed is not None,
            )
        if settings.distributed:
            with self.owner.begin() as connection:
                distributed.look_up_beside(connection)
            from storage.nodes import functions

            with self.owner.begin() as connection:
                functions.make(connection, self.roles)

    def mend(self) -> tuple[list[Difference], list[Difference]]:
        """Makes again what is not as the migrations made it; what was mended, and what is left. Raises
        SystemExit without the owner's address, or where Citus holds the tables."""
        if self.owner is None:
            raise SystemExit(
                "VIGILO_OWNER_DATABASE_URL: needed to mend; takes the owner's address."
            )
        from storage.migrations import mending

        with self.owner.begin() as connection:
            if distributed.is_distributed(connection):
                raise SystemExit("Citus has made the tables anew: restore a backup instead.")
            return mending.mend(connection, self.roles)

    def refuse_unsafe_replica(self) -> None:
        """Raises UnsafeRole as ``refuse_unsafe``. A replica that is away passes: no read uses it in
        another role than the primary's."""
        if self.replica is None:
            return
        try:
            with self.replica.engine.connect() as connection:
                refuse_unsafe(connection, "VIGILO_READ_DATABASE_URL")
        except OperationalError:
            log.warning("the replica is away; its role is not checked", exc_info=True)

    def without_owner(self) -> Database:
        """Database of a process that serves from now on: the owner's connections are closed."""
        if self.owner is not None:
            self.owner.dispose()
        return replace(self, owner=None)

    def close(self) -> None:
        """Gives every pooled connection back."""
        copy = self.replica.engine if self.replica else None
        for engine in (self.web, self.job, self.owner, copy):
            if engine is not None:
                engine.dispose()


def connect(settings: Settings) -> Database:
    """Engines for the configured database; starts the embedded one when none is named."""
    if settings.database_url is None:
        return _embedded_database(settings)
    web_url = driver_url(settings.database_url)
    owner_url = driver_url(settings.owner_database_url) if settings.owner_database_url else None
    roles = Roles(owner=(owner_url and owner_url.username) or "", web=web_url.username or "")
    most = settings.statement_seconds
    web = engine_of(web_url, most=most)
    owner = engine_of(owner_url, looks=OPERATORS_LOOKS) if owner_url else None
    read_url = settings.read_database_url
    replica = Replica(engine_of(driver_url(read_url), most=most), web) if read_url else None
    if settings.job_database_url:
        job_url = driver_url(settings.job_database_url)
        roles = Roles(roles.owner, roles.web, job_url.username or roles.job)
        return Database(web, engine_of(job_url), owner, roles, replica)
    job = (
        engine_of(owner_url, roles.job, looks=OPERATORS_LOOKS)
        if owner_url
        else _unreachable_engine()
    )
    return Database(web, job, owner, roles, replica)


def _unreachable_engine() -> Engine:
    """An engine of the job role that nobody gave an address of: whoever connects is told, by SystemExit."""

    def connect_nowhere() -> NoReturn:
        raise SystemExit(NO_JOB)

    return create_engine("postgresql+psycopg2://", creator=connect_nowhere)


def _embedded_database(settings: Settings) -> Database:
    """The embedded server, started, with an engine for each of its roles."""
    superuser = embedded.start(settings.data_dir)
    _create_database(superuser)
    url = superuser.set(database=embedded.DATABASE)
    return Database(
        engine_of(url.set(username=EMBEDDED_ROLES.web), most=settings.statement_seconds),
        engine_of(url.set(username=EMBEDDED_ROLES.job)),
        engine_of(url.set(username=EMBEDDED_ROLES.owner), looks=OPERATORS_LOOKS),
        EMBEDDED_ROLES,
    )


def _create_database(superuser: URL) -> None:
    """The owner role and its database, once."""
    engine = create_engine(superuser, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": schema.LOCK})
        owner, name = EMBEDDED_ROLES.owner, embedded.DATABASE
        if not connection.execute(
            text("select 1 from pg_roles where rolname = :n"), {"n": owner}
        ).first():
            connection.exec_driver_sql(
                f"create role {owner} login createrole nosuperuser nobypassrls"
            )
        connection.exec_driver_sql(BOUNDED.format(settings=schema.SETTINGS_OF_ROLES))
        if not connection.execute(
            text("select 1 from pg_database where datname = :n"), {"n": name}
        ).first():
            connection.exec_driver_sql(f"create database {name} owner {owner}")
        _close_to_others(superuser)
    engine.dispose()


def _close_to_others(superuser: URL) -> None:
    """Takes from everybody what only our roles may do in the database, while no other program does so."""
    engine = create_engine(superuser.set(database=embedded.DATABASE))
    with engine.begin() as connection:
        connection.exec_driver_sql(NO_ROOM)
        connection.exec_driver_sql(OWN_ALONE)
    engine.dispose()


def driver_url(address: str) -> URL:
    """An operator's address of a database, for the driver that is used."""
    return make_url(address.replace("postgres://", "postgresql://", 1)).set(
        drivername="postgresql+psycopg2"
    )


def engine_of(url: URL, role: str | None = None, most: int = 0, looks: int = LOOKS) -> Engine:
    """Connections to an address, in UTC, within ``role`` where one is named; a viewer's statement takes
    ``most`` seconds (0: as long as it likes). A server that is silent ``looks`` times is given up."""
    asking: dict[str, Any] = dict(LIFE_SIGNS)
    silence = SilenceWatch(lambda: psycopg2.connect(**asking), looks, most)
    engine = create_engine(
        url,
        pool_size=10,
        max_overflow=MOST_OVERFLOW,
        pool_timeout=5,
        hide_parameters=True,
        execution_options={STATEMENT_SECONDS: most},
        connect_args={
            **LIFE_SIGNS,
            "application_name": "vigilo",
            "connection_factory": watched_factory(silence),
        },
    )
    asking.update(engine.dialect.create_connect_args(url)[1])
    liveness.watch(engine)

    @event.listens_for(engine, "connect")
    def begin(raw: Any, _record: object) -> None:
        """The zone by SET: pgbouncer drops start options, but follows this one from server to server.
        No statement of ours is worth compiling. The owner steps down to the job role, which row-level
        security binds to a workspace."""
        with raw.cursor() as cursor:
            cursor.execute("set timezone = 'UTC'; set jit = off; set quote_all_identifiers = off")
            if role is not None:
                cursor.execute(f"set role {schema.quote_name(role)}")
        raw.commit()

    return engine


def refuse_leaks(database: Database) -> None:
    """Raises UnsafeRole where the web role or the job role sees a row of a workspace without a context, or
    in one that it made up."""
    for engine, is_job in ((database.web, False), (database.job, True)):
        with engine.connect() as connection:
            if shown := isolation.leaks(connection, job=is_job):
                role = "job" if is_job else "web"
                raise UnsafeRole(
                    f"Row-level security does not hold: the {role} role is not kept out of"
                    f" {', '.join(shown)}. Nobody is served; flask --app app doctor says what to do."
                )


def refuse_unsafe(connection: Connection, variable: str = "VIGILO_DATABASE_URL") -> None:
    """Raises UnsafeRole when the role that ``variable`` names is a superuser, bypasses row security
    or owns a table."""
    row = connection.execute(
        text(
            "with owners as (select c.relowner as owner from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p')"
            " and n.nspname not in ('pg_catalog', 'information_schema'))"
            "select r.rolname, r.rolsuper, r.rolbypassrls,"
            " exists (select from owners where owner = r.oid),"
            " exists (select from pg_roles o where o.oid <> r.oid and pg_has_role(r.oid, o.oid, 'member')"
            "  and (o.rolsuper or o.rolbypassrls or o.oid in (select owner from owners)))"
            " from pg_roles r where r.rolname = session_user"
        )
    ).one()
    name, is_super, bypasses, owns, may_become = row
    for wrong, what in (
        (is_super, "is a superuser"),
        (bypasses, "has BYPASSRLS"),
        (owns, "owns tables"),
        (may_become, "may become one that is"),
    ):
        if wrong:
            raise UnsafeRole(
                f"{variable}: the role {name} {what}, so row-level security would not hold. "
                "It takes an ordinary role: NOSUPERUSER NOBYPASSRLS, owner of nothing."
            )
