"""Restated figures: where the same days give others later, the pack says so."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from exports import downloads, queue, worker
from exports.worker import ExportContext
from storage.context import job_in
from tests.webworld import DAY, make
from tests.world import World, at

RANGE = {"start": "2026-11-02", "end": "2026-11-15"}


@pytest.fixture
def here(database, settings, tmp_path):
    web = make(database, settings)
    return ExportContext(database, settings.model_copy(update={"data_dir": tmp_path})), web


def cover(here, **params):
    place, web = here
    alice = web.people["alice"]
    id = queue.request(place.database.job, alice, params or RANGE, "pdf", ["alpha", "beta"])
    worker.drain(place)
    made = downloads.fetch(place.database.job, place.folder, alice, id, ["alpha", "beta"])
    return " ".join(PdfReader(io.BytesIO(made.data)).pages[0].extract_text().split())


def figures(here):
    with here[0].database.job.connect() as connection:
        query = text("select figures from export_job order by created_at desc limit 1")
        return connection.execute(query).scalar_one()


def fail_one(here, slug="alpha"):
    """A deployment of the period turns out to have failed."""
    web = here[1]
    place = getattr(web.world, slug)
    with job_in(web.world.database.job, place) as connection:
        connection.execute(
            text(
                "update deployment set outcome = 'failed' where key = (select min(key) from deployment"
                " where outcome = 'successful' and completed_at >= '2026-11-05'"
                " and completed_at < '2026-11-06')"
            )
        )
    web.world.backfill(DAY.replace(day=5), DAY)


def test_more_days_later_change_nothing_about_the_days_before(here):
    cover(here)
    before = figures(here)
    web = here[1]
    later = DAY.replace(day=23)
    web.world.add(
        web.world.alpha,
        "deployment",
        [
            {
                "key": "new",
                "completed_at": at(later),
                "outcome": "failed",
                "environment": "production",
            }
        ],
    )
    after = web.world.settings.model_copy(update={"today": DAY.replace(day=25)})
    World(web.world.database, after).backfill(later, later)
    assert "Restated" not in cover(here)
    assert figures(here) == before


def test_a_restated_figure_is_told_with_what_it_was(here):
    first = cover(here)
    assert "Restated" not in first
    was = figures(here)["dora.change_failure_rate"]
    fail_one(here)
    now_said = cover(here)
    now = figures(here)["dora.change_failure_rate"]
    assert now > was
    assert "Restated since the export of" in now_said
    assert f"Change failure rate was {was * 100:.1f} %, is {now * 100:.1f} %" in now_said
    assert "Restated" not in cover(here)  # agrees with the one before


def test_another_scope_or_other_days_are_no_restatement(here):
    cover(here)
    fail_one(here)
    assert "Restated" not in cover(here, start="2026-11-03", end="2026-11-15")
    place, web = here
    web.world.revoke(web.people["alice"], web.world.beta)
    id = queue.request(place.database.job, web.people["alice"], RANGE, "pdf", ["alpha"])
    worker.drain(place)
    made = downloads.fetch(place.database.job, place.folder, web.people["alice"], id, ["alpha"])
    assert "Restated" not in PdfReader(io.BytesIO(made.data)).pages[0].extract_text()
