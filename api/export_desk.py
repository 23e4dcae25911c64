"""Desk of exports: where jobs are asked for, looked up and waited for, on behalf of a viewer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from api.queries import ExportRequest
from exports import queue
from exports.queue import Job
from exports.runner import Runner
from reading.dashboard import scope
from settings import Settings
from storage.database import Database
from storage.viewer import Viewer
from web.bounds.streams import Downloads
from web.problem import Problem

LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Desk:
    """Database, settings and runner of the exports."""

    database: Callable[[], Database]
    settings: Settings
    runner: Runner
    downloads: Downloads

    @property
    def engine(self) -> Engine:
        """Engine of the job role, whose the queue is."""
        return self.database().job

    def ask(self, viewer: Viewer, wanted: ExportRequest) -> uuid.UUID:
        """Id of a new job, on its way. Raises InvalidPeriod, NotPlatformAdmin, TooManyExports."""
        today = self.settings.now().date()
        wanted.ask.on(today - timedelta(days=1), today)
        workspaces = scope(self.database(), viewer)
        id = queue.request(self.engine, viewer, wanted.params, wanted.format, workspaces)
        self.runner.wake()
        return id

    def own_job(self, viewer: Viewer, id: uuid.UUID) -> Job:
        """Job of the viewer. Raises Problem 404 for those of others."""
        job = queue.own_job(self.engine, viewer, id)
        if job is None:
            raise Problem(404)
        return job

    def wait_for_job(self, viewer: Viewer, id: uuid.UUID, seconds: float) -> Job:
        """Job when it has ended, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while (job := self.own_job(viewer, id)).is_open and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return job


def as_requested(job: Job) -> ExportRequest:
    """Request that a job was made of; a preset rolls on to today."""
    names = ["period"] if "period" in job.params else ["start", "end"]
    names += ["compare"] if "compare" in job.params else []
    return ExportRequest.model_validate(
        {name: job.params[name] for name in names} | {"format": job.format}
    )
