"""The connections of one installation: which server, which role for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from settings import Settings
from storage import embedded, schema
from storage.replica import Replica
from storage.roles import Roles

EMBEDDED_ROLES = Roles()


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

    def refuse_unsafe_replica(self) -> None:
        """Raises UnsafeRole as ``refuse_unsafe``. A replica that is away passes: no read uses it in
        another role than the primary's."""
        if self.replica is None:
            return
        try:
            with self.replica.engine.connect() as connection:
                refuse_unsafe(connection, "VIGILO_READ_DATABASE_URL")
        except OperationalError:
            return

    def close(self) -> None:
        """Gives every pooled connection back."""
        copy = self.replica.engine if self.replica else None
        for engine in (self.web, self.job, self.owner, copy):
            if engine is not None:
                engine.dispose()


def connect(settings: Settings) -> Database:
    """Engines for the configured database; starts the embedded one when none is named."""
    if settings.database_url is None:
        return _embedded(settings)
    web_url = _psycopg(settings.database_url)
    owner_url = _psycopg(settings.owner_database_url) if settings.owner_database_url else None
    roles = Roles(owner=(owner_url and owner_url.username) or "", web=web_url.username or "")
    web, owner = _engine(web_url), _engine(owner_url) if owner_url else None
    read_url = settings.read_database_url
    replica = Replica(_engine(_psycopg(read_url)), web) if read_url else None
    if settings.job_database_url:
        job_url = _psycopg(settings.job_database_url)
        roles = Roles(roles.owner, roles.web, job_url.username or roles.job)
        return Database(web, _engine(job_url), owner, roles, replica)
    job = _engine(owner_url or web_url, role=roles.job)
    return Database(web, job, owner, roles, replica)


def _embedded(settings: Settings) -> Database:
    superuser = embedded.start(settings.data_dir)
    _create_database(superuser)
    url = superuser.set(database=embedded.DATABASE)
    return Database(
        _engine(url.set(username=EMBEDDED_ROLES.web)),
        _engine(url.set(username=EMBEDDED_ROLES.job)),
        _engine(url.set(username=EMBEDDED_ROLES.owner)),
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
        if not connection.execute(
            text("select 1 from pg_database where datname = :n"), {"n": name}
        ).first():
            connection.exec_driver_sql(f"create database {name} owner {owner}")
    engine.dispose()


def _psycopg(address: str) -> URL:
    return make_url(address.replace("postgres://", "postgresql://", 1)).set(
        drivername="postgresql+psycopg2"
    )


def _engine(url: URL, role: str | None = None) -> Engine:
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        pool_timeout=5,
        connect_args={"connect_timeout": 3, "application_name": "vigilo"},
    )

    @event.listens_for(engine, "connect")
    def begin(raw: Any, _record: object) -> None:
        """The zone by SET: pgbouncer drops start options, but follows this one from server to server.
        The owner steps down to the job role, which row-level security binds to a workspace."""
        with raw.cursor() as cursor:
            cursor.execute("set timezone = 'UTC'")
            if role is not None:
                cursor.execute(f"set role {schema.quoted(role)}")
        raw.commit()

    return engine


def refuse_unsafe(connection: Connection, variable: str = "VIGILO_DATABASE_URL") -> None:
    """Raises UnsafeRole when the role that ``variable`` names is a superuser, bypasses row security
    or owns a table."""
    row = connection.execute(
        text(
            "select current_user, r.rolsuper, r.rolbypassrls,"
            " exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            "  where c.relowner = r.oid and c.relkind in ('r', 'p')"
            "  and n.nspname not in ('pg_catalog', 'information_schema'))"
            " from pg_roles r where r.rolname = current_user"
        )
    ).one()
    name, is_super, bypasses, owns = row
    for wrong, what in (
        (is_super, "is a superuser"),
        (bypasses, "has BYPASSRLS"),
        (owns, "owns tables"),
    ):
        if wrong:
            raise UnsafeRole(
                f"{variable}: the role {name} {what}, so row-level security would not hold. "
                "It takes an ordinary role: NOSUPERUSER NOBYPASSRLS, owner of nothing."
            )
