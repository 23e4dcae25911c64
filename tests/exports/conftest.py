"""A sample dashboard, and a place to export to."""

from __future__ import annotations

import pytest

from aggregators.pooling.dashboard import Dashboard
from exports.worker import ExportContext
from tests import samples
from tests.webworld import make


@pytest.fixture(scope="module")
def dashboard() -> Dashboard:
    return samples.dashboard()


@pytest.fixture
def here(database, settings, tmp_path):
    """A place of its own, and Alice."""
    web = make(database, settings)
    own = settings.model_copy(update={"data_dir": tmp_path, "export_sync_seconds": 0})
    return ExportContext(database, own), web
