"""An installation for all faults: each of them leaves it whole, or the test has failed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from storage import embedded
from storage.database import connect
from tests.faults.stack import Stack, bouncer
from tests.served import ServedWeb, signed_in
from tests.storage.clusters import Cluster, cluster
from tests.webworld import make


@pytest.fixture(scope="package")
def broken_cluster(server, settings) -> Iterator[Cluster]:
    """A PostgreSQL that may be stopped, and has few connections to give."""
    user = (settings.data_dir / "postgres").owner()
    with cluster(embedded.programs(), user, {"max_connections": "60"}) as made:
        yield made


def served(made: Cluster, settings, folder, **addresses: str) -> ServedWeb:
    own = made.settings(folder, settings)
    database = connect(own)
    database.upgrade(own)
    web = ServedWeb.over(database, folder, workers=2, **addresses)
    database.close()
    return web


@pytest.fixture(scope="package")
def stack(broken_cluster, settings, tmp_path_factory) -> Iterator[Stack]:
    """gunicorn with two workers over the cluster, and Alice's browser."""
    folder = tmp_path_factory.mktemp("faults")
    own = broken_cluster.settings(folder, settings)
    database = connect(own)
    database.upgrade(own)
    make(database, own)
    database.close()
    web = served(broken_cluster, settings, folder)
    web.start()
    made = Stack(broken_cluster, web, signed_in(web))
    made.figures = made.ask().json()["domains"]
    yield made
    web.kill()


@pytest.fixture(scope="package")
def pooled_stack(stack, settings, tmp_path_factory) -> Iterator[Stack]:
    """Other processes that serve the database through pgbouncer."""
    folder = tmp_path_factory.mktemp("pooled")
    with bouncer(stack.cluster) as port:
        address = stack.cluster.url("vigilo_web").set(port=port)
        web = served(
            stack.cluster,
            settings,
            folder,
            VIGILO_DATABASE_URL=address.render_as_string(hide_password=False),
        )
        web.start()
        yield Stack(stack.cluster, web, signed_in(web), stack.figures)
        web.kill()


@pytest.fixture
def workers(stack) -> list[int]:
    """Process ids of gunicorn's workers."""
    children = f"/proc/{stack.web.process.pid}/task/{stack.web.process.pid}/children"
    with open(children, encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def reload(web: ServedWeb) -> None:
    """Has gunicorn begin new workers and let the old ones finish."""
    os.kill(web.process.pid, signal.SIGHUP)
