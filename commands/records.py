"""``records import``, ``records scan`` and ``records fetch``: from files, hosts and other systems."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import click
from sqlalchemy.exc import OperationalError

from auth.granting import OPERATOR
from commands.desk.repositories import clone_repositories
from commands.installation import DatabaseCommand, database, installation, reason
from counting_settings import known_zone
from ingest.door.imports import note_imports
from ingest.formats import FORMATS
from ingest.formats.certificate_files import PASSWORD
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.lists.authority import lacked_assets, retire_assets
from ingest.lists.complete import WITHDRAWN_BY, ListChanged, lacked_records, withdraw_records
from ingest.lists.whole_lists import RESULTS
from ingest.report import KEPT, ImportOutcome
from ingest.sources import prometheus
from ingest.sources.tls_hosts import scan as ask_hosts
from storage import audit
from storage.context import NoSuchWorkspace


class _Reading(NamedTuple):
    """How files are read: our columns by their names, the workspace of rows that name none, and so on."""

    names: tuple[str, ...]
    workspace: str | None
    form: str | None
    tags: str
    zone: ZoneInfo | None
    password: str

    def of_import(self, kind: str) -> dict[str, Any]:
        """Arguments by which records are imported."""
        return {
            "workspace": self.workspace,
            "form": self.form,
            "columns": _columns(kind, self.names),
            "zone": self.zone or installation().settings.zone,
            "zone_given": self.zone is not None,
            "tags": self.tags,
            "password": self.password,
        }


READING_OPTIONS = (
    click.option(
        "--map",
        "names",
        multiple=True,
        metavar="OURS=THEIRS",
        help="What the file calls our column, for CSV; or the name of a scan's framework, framework=NAME."
        " Once for each.",
    ),
    click.option("--workspace", "slug", help="The workspace of rows that name none."),
    click.option(
        "--format", "form", type=click.Choice(tuple(FORMATS)), help="How the files are read."
    ),
    click.option(
        "--tags",
        default="",
        metavar="PATTERN",
        help="Which tags are releases, for --format git: v*.",
    ),
    click.option(
        "--time-zone",
        "zone",
        metavar="ZONE",
        callback=lambda _context, _option, name: _zone(name),
        help="The zone of instants without an offset, such as Europe/Berlin; in scanners' files that of the"
        " installation where it is not given.",
    ),
    click.option(
        "--password",
        envvar=PASSWORD,
        default="",
        show_envvar=True,
        help="What opens a PKCS#12 file; in the variable nobody else sees it.",
    ),
)
"""Options that say how files are read, as ``_Reading`` holds them."""


def _reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options as its first argument."""

    @functools.wraps(command)
    def read(
        names: tuple[str, ...],
        slug: str | None,
        form: str | None,
        tags: str,
        zone: ZoneInfo | None,
        password: str,
        **others: Any,
    ) -> None:
        command(_Reading(names, slug, form, tags, zone, password), **others)

    for option in reversed(READING_OPTIONS):
        read = option(read)
    return read


@click.command("import", cls=DatabaseCommand)
@click.argument("kind", type=click.Choice(tuple(KINDS)))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    help="A git repository, for --format git: a folder, or an address (VIGILO_GIT_TOKEN signs in).",
)
@_reading_options
@click.option("--strict", is_flag=True, help="Keep all or nothing.")
@click.option(
    "--authoritative",
    is_flag=True,
    help="The files list all there is of their source: the assets (of control-results) and the vendors,"
    " slos or incidents that they lack are retired, once confirmed.",
)
@click.option("--yes", is_flag=True, help="Retire without asking.")
def import_(
    reading: _Reading,
    kind: str,
    files: tuple[Path, ...],
    repositories: tuple[str, ...],
    strict: bool,
    authoritative: bool,
    yes: bool,
) -> None:
    """Import records of a KIND from FILEs; exit code 1 when any was rejected."""
    with clone_repositories(repositories) as folders:
        _import(reading, kind, (*files, *folders), strict, authoritative, yes)


def _import(
    reading: _Reading,
    kind: str,
    files: tuple[Path, ...],
    strict: bool,
    authoritative: bool,
    yes: bool,
) -> None:
    """Imports, and says what became of it."""
    _refuse_misplaced(kind, files, reading, authoritative)
    outcomes = _import_and_note(kind, files, reading, strict, authoritative)
    for outcome in outcomes:
        show(outcome)
    if any(outcome.failed for outcome in outcomes):
        if authoritative:
            click.echo("Nothing was retired, because not all of the files could be read.")
        raise click.exceptions.Exit(1)
    if authoritative:
        _retire(kind, outcomes, reading, yes)


def _refuse_misplaced(
    kind: str, files: Sequence[Path], reading: _Reading, authoritative: bool
) -> None:
    """Raises UsageError for what does not go with the kind."""
    if reading.workspace and not KINDS[kind].tenant:
        raise click.UsageError(f"--workspace does not apply to {kind}.")
    if authoritative and kind not in (RESULTS, *WITHDRAWN_BY):
        known = ", ".join((RESULTS, *WITHDRAWN_BY))
        raise click.UsageError(f"--authoritative applies to {known}; not to {kind}.")
    if not files:
        raise click.UsageError("Missing argument 'FILES...'.")


def _import_and_note(
    kind: str, files: Sequence[Path], reading: _Reading, strict: bool, is_whole: bool
) -> list[ImportOutcome]:
    """Imports and notes it, or says in a sentence why it could not."""
    try:
        outcomes = load(
            database(),
            KINDS[kind],
            files,
            strict=strict,
            as_deliveries=True,
            is_whole=is_whole,
            **reading.of_import(kind),
        )
        note_imports(database().job, OPERATOR, kind, reading.workspace, outcomes)
        return outcomes
    except NoSuchWorkspace as error:
        raise click.BadParameter(str(error), param_hint="--workspace") from error
    except OperationalError as error:
        raise click.ClickException(
            f"The database does not answer: {reason(error)}. What was written stays; import the same files"
            " again."
        ) from error


def _retire(kind: str, outcomes: Sequence[ImportOutcome], reading: _Reading, yes: bool) -> None:
    """Lists what the files lack and retires it, once that is confirmed. Raises ClickException where it is
    not."""
    number = (_retire_assets if kind == RESULTS else functools.partial(_withdraw, kind))(
        outcomes, yes
    )
    if number:
        with database().job.begin() as connection:
            details = {"kind": kind, "no_longer_listed": number}
            audit.record(connection, OPERATOR, "import.retire", reading.workspace or "*", details)
        click.echo(f"{number:,} {'retired' if kind == RESULTS else 'withdrawn'}.")


def _retire_assets(outcomes: Sequence[ImportOutcome], yes: bool) -> int:
    """Lists the assets that the files lack and retires them, once that is confirmed; returns how many.
    Raises ClickException where it is not, or where others are lacked by then."""
    shown = lacked_assets(database(), outcomes)
    lines = [f"{a.workspace}/{a.framework}: {a.asset}" for a in shown]
    _confirm(lines, "No asset is to be retired.", "Retire {} of a framework's assets?", yes)
    with _as_shown():
        return retire_assets(database(), outcomes, shown)


def _withdraw(kind: str, outcomes: Sequence[ImportOutcome], yes: bool) -> int:
    """Lists the records that the files lack and withdraws them, once that is confirmed; returns how many.
    Raises ClickException where it is not, or where others are lacked by then."""
    shown = lacked_records(database(), KINDS[kind], outcomes)
    none = f"None of the {kind} is to be withdrawn."
    lines = [f"{r.workspace}: {r.key}" for r in shown]
    _confirm(lines, none, f"Withdraw {{}} of the {kind}?", yes)
    with _as_shown():
        return withdraw_records(database(), KINDS[kind], outcomes, shown)


@contextmanager
def _as_shown() -> Iterator[None]:
    """Says in a sentence that more is lacked than was shown. Raises ClickException."""
    try:
        yield
    except ListChanged as error:
        raise click.ClickException(
            "Something was told meanwhile that the files lack too: import them again to see it."
        ) from error


def _confirm(lines: Sequence[str], none: str, question: str, yes: bool) -> None:
    """Shows what is not listed any more and asks. Raises ClickException where the answer is no."""
    for line in lines:
        click.echo(f"  {line} is not listed any more")
    if not lines:
        click.echo(none)
    elif not yes and not (sys.stdin.isatty() and click.confirm(question.format(f"{len(lines):,}"))):
        raise click.ClickException("Nothing was retired: --yes retires what is listed above.")


@click.command("certificates", cls=DatabaseCommand)
@click.option(
    "--hosts",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with a HOST or HOST:PORT a line; # begins a comment.",
)
@click.option("--workspace", "slug", required=True, help="The workspace whose hosts they are.")
@click.option(
    "--timeout",
    default=5.0,
    type=click.FloatRange(0.1, 120),
    show_default=True,
    help="Seconds for each host.",
)
def scan_certificates(hosts: Path, slug: str, timeout: float) -> None:
    """Ask hosts over TLS for their certificates; exit code 1 when any did not answer."""
    try:
        outcome = ask_hosts(database(), hosts, slug, timeout, installation().settings.now())
    except NoSuchWorkspace as error:
        raise click.BadParameter(str(error), param_hint="--workspace") from error
    note_imports(database().job, OPERATOR, "certificates", slug, [outcome])
    show(outcome)
    if outcome.failed:
        raise click.exceptions.Exit(1)


@click.command("slo-days", cls=DatabaseCommand)
@click.option("--prometheus", "base", required=True, help="http://HOST:PORT of its HTTP API.")
@click.option("--workspace", "slug", required=True, help="The workspace whose objectives they are.")
@click.option("--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--to", "last", required=True, type=click.DateTime(["%Y-%m-%d"]))
def fetch_slo_days(base: str, slug: str, first: datetime, last: datetime) -> None:
    """Ask a Prometheus for each objective's good and total events a day."""
    if last < first:
        raise click.BadParameter("lies before --from", param_hint="--to")
    try:
        base = prometheus.address(base)
        zone = installation().settings.zone
        outcome = prometheus.fetch(database(), base, slug, first.date(), last.date(), zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--prometheus") from error
    except NoSuchWorkspace as error:
        raise click.BadParameter(str(error), param_hint="--workspace") from error
    note_imports(database().job, OPERATOR, "slo-days", slug, [outcome])
    show(outcome)
    if outcome.failed:
        raise click.exceptions.Exit(1)


def _zone(name: str | None) -> ZoneInfo | None:
    """The time zone of that name. Raises BadParameter."""
    if name is None:
        return None
    try:
        return ZoneInfo(known_zone(name))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _columns(kind: str, names: tuple[str, ...]) -> dict[str, str]:
    """Our columns to the file's names. Raises BadParameter."""
    columns = {}
    for given in names:
        ours, equals, theirs = given.partition("=")
        ours = ours.strip()
        if not equals or not theirs.strip() or ours not in KINDS[kind].columns:
            known = ", ".join(KINDS[kind].columns)
            raise click.BadParameter(
                f"{given!r} must be OURS=THEIRS with one of {known}", param_hint="--map"
            )
        columns[ours] = theirs.strip()
    return columns


def show(outcome: ImportOutcome) -> None:
    """Prints the outcome of a file."""
    click.echo(outcome.summary())
    if outcome.problem:
        click.echo(f"  {outcome.file}: {outcome.problem}")
    for line in (*outcome.warnings[:KEPT], *_rest_line(len(outcome.warnings), "warnings")):
        click.echo(f"  {line}")
    for line in (*map(str, outcome.rejects), *_rest_line(outcome.rejected, "rejected rows")):
        click.echo(f"  {line}")


def _rest_line(count: int, plural: str) -> tuple[str, ...]:
    """Line about those beyond the first that are told; none where all are."""
    return (f"and {count - KEPT:,} more {plural}",) if count > KEPT else ()
