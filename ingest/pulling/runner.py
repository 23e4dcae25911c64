"""Runs sources that are due: one at a time each, in whatever process; what fails backs off alone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import MultiFernet
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from aggregators.vocabulary import formats
from auth.secret_key import secret_keys
from ingest.pulling import runs, store
from ingest.pulling.catalogue import kind_of
from ingest.pulling.choice.settling import settle_parts
from ingest.pulling.client import Client
from ingest.pulling.gathering import gather_pages
from ingest.pulling.guard import AddressGuard
from ingest.pulling.parts import keep_scopes, scopes_of
from ingest.pulling.problems import CODES, SourceProblem, SourceWaits
from ingest.pulling.runs import RunEnd, RunLost
from ingest.pulling.shape import FoundScope, Pull, PullScope
from ingest.pulling.store import StoredSource
from ingest.pulling.wire.allowance import Allowance, Enough
from ingest.pulling.wire.answered import of_answers, read_from
from ingest.pulling.wire.answers import Limits
from ingest.pulling.writing import Memory, Writer
from settings import Settings
from storage.database import Database

log = logging.getLogger("vigilo.sources")

LONGEST_RUN = 300.0
"""Seconds after which a run ends at its next piece, and another goes on: others are due as well."""
BEAT = 30.0
MOST_REQUESTS = 50_000
"""Requests of a run: it ends long before, at its next piece, unless the sender's lists have no end."""
ENDLESS = "What the sender lists has no end: the run was broken off. What had been read is kept."
BROKEN_OFF = "The database broke the run off; the next one goes on."
TESTED = (500, 60.0)
"""Requests and seconds of a test."""
EXPIRES_SOON = timedelta(days=14)
TOO_SLOW = "The sender takes longer to answer than anybody waits for a test."


class SourceContext(NamedTuple):
    """An installation, as its sources see it."""

    database: Database
    settings: Settings

    @property
    def box(self) -> MultiFernet:
        """Seals and opens the secrets."""
        return secret_keys(self.settings).box(store.PURPOSE)

    @property
    def guard(self) -> AddressGuard:
        """Rules of the addresses that may be asked."""
        urls = (self.database.web.url, self.database.job.url)
        own = [(url.host or "", url.port or 5432) for url in urls]
        return AddressGuard.of(self.settings.source_allow, own)

    @property
    def folders(self) -> list[Path]:
        """Folders of files that sources may read."""
        return [Path(f) for f in self.settings.source_folders] or [self.settings.data_dir / "inbox"]


def run_due(context: SourceContext, most: int = 20) -> int:
    """Runs the sources that are due, one after another; returns how many."""
    done = 0
    while done < most and run_next(context):
        done += 1
    return done


def run_next(context: SourceContext, only: int | None = None) -> bool:
    """Runs the source that is due for the longest, or that one; False where none is."""
    with runs.claim_due(context.database.job, only) as claimed:
        if claimed is not None:
            _run(context, *claimed)
        return claimed is not None


def _run(context: SourceContext, source: StoredSource, run: int) -> None:
    """Runs a source and notes how it ended."""
    writer = Writer(context.database, source, run)
    try:
        with _keep_lease(context, source):
            end = _pull_and_write(context, source, writer)
    except RunLost:
        log.info("source %s was taken over or changed while it ran", source.id)
        return
    except SourceWaits as wait:
        end = RunEnd("waiting", wait.code, str(wait), wait.until)
    except SourceProblem as problem:
        end = RunEnd("failed", problem.code, str(problem))
    except Enough:
        end = RunEnd("failed", "too_large", ENDLESS)
    except OperationalError:
        with suppress(OperationalError):  # nothing more can be noted where the database is away
            until = datetime.now(UTC) + runs.LEASE
            runs.finish(context.database.job, source, run, RunEnd("waiting", "", BROKEN_OFF, until))
        raise
    except Exception as error:
        log.exception("source %s of kind %s", source.id, source.kind)
        end = RunEnd("failed", "internal", f"{type(error).__name__}; the log has more.")
    runs.finish(context.database.job, source, run, end)


def _pull_and_write(context: SourceContext, source: StoredSource, writer: Writer) -> RunEnd:
    """Reads and writes until there is nothing more, or the run has lasted long enough."""
    deadline = time.monotonic() + LONGEST_RUN
    source = _forget_progress(context, source)
    pull = open_pull(context, source)
    pull.is_over = lambda: time.monotonic() > deadline
    kind = kind_of(source.kind)
    if kind.scopes is not None:
        with of_answers():
            scopes = kind.scopes(pull)
        with store.change_mapping(context.database.job) as connection:
            keep_scopes(connection, source, scopes)
            pull.scopes = scopes_of(connection, source)
        pull.keep_time()
        pull.scopes = settle_parts(context.database, source, pull)
    try:
        for piece in gather_pages(read_from(kind.pull(pull))):
            writer.counts.requests = pull.requests
            writer.write(piece)
    finally:
        writer.counts.requests = pull.requests
        with context.database.job.begin() as connection:
            runs.tell(connection, writer.run, writer.counts)
    if kind.scopes is not None and not pull.scopes and not pull.is_over():
        return RunEnd("waiting", "mapping_missing", CODES["mapping_missing"])
    expiring = _expiry_sentence(pull)
    notes = " ".join([*expiring, *pull.notes, *writer.notes])[:2000]
    code = "token_expires" if expiring else ""
    return RunEnd("done", code, notes, datetime.now(UTC) if pull.is_over() else None)


def _expiry_sentence(pull: Pull) -> list[str]:
    """Sentence about the secret, where it is soon no more."""
    known = [client.expires for client in pull.clients if client.expires is not None]
    if not known or min(known) - pull.now > EXPIRES_SOON:
        return []
    return [f"The secret expires on {formats.day(min(known))}: give a new one before."]


def _forget_progress(context: SourceContext, source: StoredSource) -> StoredSource:
    """Forgets how far everything was read, where it is to be read once more from a day on."""
    if source.again_from is None:
        return source
    days = max((context.settings.now().date() - source.again_from).days, 1)
    with context.database.job.begin() as connection:
        for table in store.READ_ANEW:
            connection.execute(text(table), {"id": source.id})
        connection.execute(
            text(
                "update source set again_from = null, history_days = greatest(history_days, :days)"
                " where id = :id"
            ),
            {"id": source.id, "days": min(days, store.HISTORY[1])},
        )
    return store.find_source(context.database.job, source.id)


def open_pull(context: SourceContext, source: StoredSource) -> Pull:
    """A run of the source, opened: its settings, secret, parts, and how it may ask. Raises
    SourceProblem."""
    with context.database.job.connect() as connection:
        secret = store.secret_of(connection, context.box, source.id)
        scopes = scopes_of(connection, source)
    bounds = Allowance(MOST_REQUESTS, 4 * LONGEST_RUN)
    return _make_pull(context, source.config, secret, scopes, source, bounds)


def draft(
    context: SourceContext,
    kind: str,
    config: Mapping[str, str],
    secret: str,
    allowance: Allowance | None = None,
) -> Pull:
    """A run of a source that is not made yet, for its test, within bounds. Raises SourceProblem."""
    within = allowance or Allowance(*TESTED)
    checked = kind_of(kind).checked(config)
    return _make_pull(context, checked, secret, [PullScope("", "", "")], None, within)


def _make_pull(
    context: SourceContext,
    config: Mapping[str, str],
    secret: str,
    scopes: Sequence[PullScope],
    source: StoredSource | None,
    allowance: Allowance | None = None,
) -> Pull:
    """A pull with its client, settings and parts, whether its source is kept or a draft."""
    now = datetime.now(UTC)
    memory = Memory(context.database.job, source.id if source else 0)
    return Pull(
        settings=dict(config),
        secret=secret,
        scopes=scopes,
        since=now - timedelta(days=source.history_days if source else 28),
        now=now,
        zone=context.settings.zone,
        memory=memory,
        guard=context.guard,
        folders=context.folders,
        open_client=partial(_client, context, allowance),
        database=context.database,
    )


def _client(
    context: SourceContext,
    allowance: Allowance | None,
    base: str,
    headers: Mapping[str, str],
    limits: Limits,
    authority: str,
) -> Client:
    """Client of a source, with the installation's guard, authorities and proxy."""
    settings = context.settings
    ca_file = str(settings.source_ca) if settings.source_ca else None
    return Client(
        base, context.guard, headers, limits, ca_file, settings.source_proxy, authority,
        allowance=allowance,
    )  # fmt: skip


def try_source(pull: Pull, kind: str) -> tuple[list[str], Sequence[FoundScope]]:
    """Asks what the sync asks, once; what is well, a sentence each, and the parts that there are. Raises
    SourceProblem."""
    shape = kind_of(kind)
    try:
        with of_answers():
            sentences = list(shape.test(pull))
            return sentences, shape.scopes(pull) if shape.scopes else ()
    except Enough:
        raise SourceProblem("unreachable", TOO_SLOW) from None


@contextmanager
def _keep_lease(context: SourceContext, source: StoredSource) -> Iterator[None]:
    """Keeps the lease while the run waits for its sender."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT):
            try:
                with context.database.job.begin() as connection:
                    runs.hold(connection, source)
            except RunLost:
                return  # the next piece says so
            except OperationalError:
                log.warning("the lease of source %s could not be kept", source.id, exc_info=True)

    thread = threading.Thread(target=beat, daemon=True, name=f"source-{source.id}")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
