"""Through pgbouncer in transaction mode, where consecutive transactions share connections."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import Ask
from app import create_app
from reading.dashboard import NotPlatformAdmin, read
from reading.workspace_page import NotAMember, read_workspace
from settings import Settings, load
from storage.context import Context, current, in_workspace, job_in
from storage.database import Database, connect
from storage.snapshot import job
from storage.viewer import Viewer
from tests.conftest import TODAY
from tests.webworld import API, EXECUTIVE, WebWorld, csrf, make
from tests.world import World, at
from web.server.startup import prepare

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@pytest.fixture
def bouncer(server, settings) -> Iterator[int]:
    """The port of a pgbouncer with two server connections a role."""
    with bouncing(server, settings, pool_mode="transaction", default_pool_size=2) as port:
        yield port


@contextmanager
def bouncing(server: Database, settings: Settings, **options: object) -> Iterator[int]:
    """The port of a pgbouncer with these options before the tests' server."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    folder = Path(tempfile.mkdtemp(prefix="vigilo-bouncer-"))
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = server.web.url
    (folder / "users.txt").write_text('"vigilo_web" ""\n"vigilo_job" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\nvigilo = host={url.query['host']} port={url.query['port']}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = trust\n"
        f"auth_file = {folder}/users.txt\nunix_socket_dir =\n"
        + "".join(f"{name} = {value}\n" for name, value in options.items())
    )
    owner = (settings.data_dir / "postgres").owner()
    user = ["-u", owner] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [PGBOUNCER, *user, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


@pytest.fixture
def pooled(bouncer) -> Iterator[Engine]:
    """The web role's engine through pgbouncer."""
    engine = create_engine(f"postgresql+psycopg2://vigilo_web@127.0.0.1:{bouncer}/vigilo")
    yield engine
    engine.dispose()


@pytest.fixture
def outside(pooled, server, settings) -> Settings:
    """The installation as an operator names it, with the web role behind pgbouncer."""
    return load(
        data_dir=settings.data_dir,
        today=TODAY,
        org_name=settings.org_name,
        secret_key="x" * 40,
        debug=True,
        database_url=pooled.url.render_as_string(False),
        job_database_url=server.job.url.render_as_string(False),
    )


@pytest.fixture
def through(outside) -> Iterator[Database]:
    """Engines that connect through PgBouncer."""
    made = connect(outside)
    yield made
    made.close()


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("pgbouncer did not start")


def test_no_context_survives_a_transaction_on_a_shared_connection(database, settings, pooled):
    world = World(database, settings)
    alice = world.person("alice@x.example")
    spaces = [world.workspace(f"ws-{i}") for i in range(3)]
    for space in spaces:
        world.member(alice, space, "viewer")
        world.add(space, "incident", [{"key": "i", "opened_at": at(TODAY - timedelta(days=1))}])

    def visit(n: int) -> tuple[int, set[int]]:
        space = spaces[n % 3]
        with in_workspace(pooled, alice, space) as connection:
            seen = set(connection.execute(text("select workspace_id from incident")).scalars())
        with pooled.connect() as connection:
            assert current(connection) == Context()
            assert connection.execute(text("select count(*) from incident")).scalar_one() == 0
        return space, seen

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(visit, range(60)))
    assert all(seen == {space} for space, seen in found)


def fill(world: World, space: int, slug: str, n: int) -> None:
    """Deployments of some days, an incident and a control of the n-th workspace."""
    days = [TODAY - timedelta(days=d) for d in range(1, 12 + n)]
    world.add(
        space,
        "deployment",
        [
            {
                "key": f"{slug}-{day}",
                "created_at": at(day, 1),
                "completed_at": at(day, 23 - n),
                "outcome": "failed" if day.day % (3 + n) == 0 else "successful",
            }
            for day in days
        ],
    )
    world.add(space, "incident", [{"key": "i", "opened_at": at(days[n]), "severity": "p1"}])
    world.add(
        space,
        "control_result",
        [
            {
                "framework": "SOC2",
                "control": "c",
                "assessed_at": at(days[-1]),
                "result": "compliant",
                "valid_until": at(TODAY + timedelta(days=30 + n)),
            }
        ],
    )


def organisation(database, settings) -> tuple[dict[str, Viewer], World]:
    """People whose scopes differ, over three workspaces with records and snapshots."""
    world = World(database, settings)
    people = {n: world.person(f"{n}@x.example") for n in ("alice", "bob", "carol", "dave")}
    roles = {
        "alpha": {"alice": "platform_admin", "bob": "owner"},
        "beta": {"alice": "platform_admin", "carol": "platform_admin"},
        "gamma": {"alice": "platform_admin", "carol": "viewer"},
    }
    for n, (slug, members) in enumerate(roles.items()):
        space = world.workspace(slug)
        for who, role in members.items():
            world.member(people[who], space, role)
        fill(world, space, slug, n)
    world.backfill(TODAY - timedelta(days=15), TODAY - timedelta(days=1))
    return people, world


def answer(database: Database, viewer: Viewer, slug: str, n: int, settings: Settings) -> object:
    """A dashboard or a workspace page, or the refusal."""
    ask = Ask((7, 28, 90)[n % 3])
    try:
        if not slug:
            return read(database, viewer, ask, settings)
        domain = DOMAINS[n % len(DOMAINS)].key
        return read_workspace(database, viewer, slug, domain, ask, settings)
    except (NotPlatformAdmin, NotAMember) as refused:
        return type(refused)


def test_people_of_different_scopes_read_at_once_what_they_read_directly(
    database, settings, through
):
    people, _ = organisation(database, settings)
    asked = [
        (people[who], slug, n)
        for n in range(6)
        for who in people
        for slug in ("", "alpha", "beta", "gamma")
    ]
    direct = [answer(database, *one, settings) for one in asked]
    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda one: answer(through, *one, settings), asked))
    assert found == direct
    scopes = {a.scope.slugs for a in direct if isinstance(a, Dashboard)}
    assert scopes == {("alpha", "beta", "gamma"), ("beta",)}
    assert {NotPlatformAdmin, NotAMember} <= {a for a in direct if isinstance(a, type)}


def test_every_transaction_is_in_utc_whatever_the_servers_zone(
    database, settings, through, pooled, server
):
    """A start option would be dropped by transaction pooling."""
    people, _ = organisation(database, settings)
    admin = create_engine(server.owner.url.set(username="postgres"))
    asked = [("", n) for n in range(3)] + [("alpha", n) for n in range(len(DOMAINS))]
    direct = [answer(database, people["alice"], *one, settings) for one in asked]
    with admin.begin() as connection:
        connection.execute(text("alter role vigilo_web set timezone = 'Pacific/Auckland'"))

    def zone(engine: Engine) -> str:
        with engine.connect() as connection:
            return str(connection.execute(text("show timezone")).scalar_one())

    try:
        assert zone(pooled) == "Pacific/Auckland"
        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(lambda _: zone(through.web), range(40))) == {"UTC"}
        assert [answer(through, people["alice"], *one, settings) for one in asked] == direct
    finally:
        with admin.begin() as connection:
            connection.execute(text("alter role vigilo_web reset timezone"))
        admin.dispose()


def test_a_session_begun_in_one_web_process_goes_on_in_another(database, settings, outside):
    """Two applications, each with connections of its own through pgbouncer, share only PostgreSQL."""
    made = make(database, settings)
    apps = [create_app(outside) for _ in range(2)]
    for app in apps:
        prepare(app.extensions["vigilo"])
    first, second = (WebWorld(app, made.world, made.people) for app in apps)
    here = first.sign_in("alice")
    there = second.browser()
    there.set_cookie("vigilo", here.get_cookie("vigilo").value)
    for browser in (here, there, here, there):
        assert browser.get(EXECUTIVE).status_code == 200
        assert browser.get(API).json["scope"]["workspaces"]
    assert there.get(API).json == here.get(API).json
    assert there.post("/logout", headers=csrf(there)).status_code == 302
    assert here.get(EXECUTIVE).status_code == 302
    for app in apps:
        app.extensions["vigilo"].database.close()


def test_snapshots_find_their_statements_on_whatever_connection_they_get(
    database, settings, bouncer
):
    """Prepared ones stay on the server's connection; the next transaction may have another."""
    world = World(database, settings)
    for n in range(6):
        made = world.workspace(f"ws-{n}")
        opened = at(TODAY - timedelta(days=1))
        world.add(made, "incident", [{"key": f"i{i}", "opened_at": opened} for i in range(n)])
    engine = create_engine(f"postgresql+psycopg2://vigilo_job@127.0.0.1:{bouncer}/vigilo")
    try:
        behind = dataclasses.replace(database, job=engine)
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(lambda _: job.run(behind, None, settings), range(4)))
    finally:
        engine.dispose()
    assert [(o.done, o.failed) for o in done] == [(6, {})] * 4
    for n in range(6):
        with job_in(database.job, n + 1) as connection:
            query = "select incidents_opened_total from workspace_usage_snapshot"
            assert connection.execute(text(query)).scalars().all() == [n]
