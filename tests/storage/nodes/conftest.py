"""Cluster that all tests of work beside the rows share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from storage.database import Database, connect
from tests.storage.nodes.cluster import ToldDatabase, distributed


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[ToldDatabase]:
    name = f"vigilo_beside{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    with distributed(name, tmp_path_factory.mktemp("beside")) as made:
        made.typed("demo load --workspaces 12 --days 40")
        made.typed("member grant dave@demo.example payments platform_admin")
        yield made


@pytest.fixture
def clustered(cluster) -> Iterator[Database]:
    made = connect(cluster.settings)
    yield made
    made.close()
