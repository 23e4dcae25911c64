"""``records import`` and ``records scan``: operational records from files and hosts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from storage.records import prometheus
from storage.records.formats import FORMATS
from storage.records.importer import NoSuchWorkspace, load
from storage.records.kinds import KINDS
from storage.records.report import KEPT, Outcome
from storage.records.scan import scan as ask_hosts


@click.group()
def records() -> None:
    """Operational records."""


@records.command("import")
@click.argument("kind", type=click.Choice(tuple(KINDS)))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A git repository, for --format git.",
)
@click.option(
    "--map",
    "names",
    multiple=True,
    metavar="OURS=THEIRS",
    help="What the file calls our column, for CSV; once for each.",
)
@click.option("--workspace", "slug", help="The workspace of rows that name none.")
@click.option("--format", "form", type=click.Choice(tuple(FORMATS)), help="How the files are read.")
@click.option("--strict", is_flag=True, help="Keep all or nothing.")
@with_appcontext
def import_(
    kind: str,
    files: tuple[Path, ...],
    repositories: tuple[Path, ...],
    names: tuple[str, ...],
    slug: str | None,
    form: str | None,
    strict: bool,
) -> None:
    """Import records of a KIND from FILEs; exit code 1 when any was rejected."""
    if slug and not KINDS[kind].tenant:
        raise click.UsageError(f"--workspace does not apply to {kind}.")
    files += repositories
    if not files:
        raise click.UsageError("Missing argument 'FILES...'.")
    columns = _columns(kind, names)
    database = current_app.extensions["vigilo"].database
    try:
        outcomes = load(
            database,
            KINDS[kind],
            files,
            workspace=slug,
            form=form,
            strict=strict,
            columns=columns,
        )
    except NoSuchWorkspace as error:
        raise click.BadParameter(str(error), param_hint="--workspace") from error
    except OperationalError as error:
        raise click.ClickException(
            "The database does not answer. What was written stays; import the same files again."
        ) from error
    for outcome in outcomes:
        show(outcome)
    if any(outcome.failed for outcome in outcomes):
        raise click.exceptions.Exit(1)


@records.group()
def scan() -> None:
    """Records that are asked for where they are."""


@scan.command("certificates")
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
@with_appcontext
def scan_certificates(hosts: Path, slug: str, timeout: float) -> None:
    """Ask hosts over TLS for their certificates; exit code 1 when any did not answer."""
    services = current_app.extensions["vigilo"]
    try:
        outcome = ask_hosts(services.database, hosts, slug, timeout, services.settings.now())
    except NoSuchWorkspace as error:
        raise click.BadParameter(str(error), param_hint="--workspace") from error
    show(outcome)
    if outcome.failed:
        raise click.exceptions.Exit(1)


@records.group()
def fetch() -> None:
    """Records that another system counts."""


@fetch.command("slo-days")
@click.option("--prometheus", "base", required=True, help="http://HOST:PORT of its HTTP API.")
@click.option("--workspace", "slug", required=True, help="The workspace whose objectives they are.")
@click.option("--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--to", "last", required=True, type=click.DateTime(["%Y-%m-%d"]))
@with_appcontext
def fetch_slo_days(base: str, slug: str, first: datetime, last: datetime) -> None:
    """Ask a Prometheus for each objective's good and total events a day."""
    services = current_app.extensions["vigilo"]
    if last < first:
        raise click.BadParameter("lies before --from", param_hint="--to")
    try:
        base = prometheus.address(base)
        zone = services.settings.zone
        outcome = prometheus.fetch(services.database, base, slug, first.date(), last.date(), zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--prometheus") from error
    except NoSuchWorkspace as error:
        raise click.BadParameter(str(error), param_hint="--workspace") from error
    show(outcome)
    if outcome.failed:
        raise click.exceptions.Exit(1)


def _columns(kind: str, names: tuple[str, ...]) -> dict[str, str]:
    """Our columns to the file's names, in lower case as headers are read. Raises BadParameter."""
    columns = {}
    for given in names:
        ours, equals, theirs = given.partition("=")
        ours = ours.strip()
        if not equals or not theirs.strip() or ours not in KINDS[kind].columns:
            known = ", ".join(KINDS[kind].columns)
            raise click.BadParameter(
                f"{given!r} must be OURS=THEIRS with one of {known}", param_hint="--map"
            )
        columns[ours] = theirs.strip().lower()
    return columns


def show(outcome: Outcome) -> None:
    """Prints what became of a file."""
    click.echo(outcome.summary())
    if outcome.problem:
        click.echo(f"  {outcome.file}: {outcome.problem}")
    for line in (*outcome.warnings[:KEPT], *_more(len(outcome.warnings), "warnings")):
        click.echo(f"  {line}")
    for line in (*map(str, outcome.rejects), *_more(outcome.rejected, "rejected rows")):
        click.echo(f"  {line}")


def _more(count: int, what: str) -> tuple[str, ...]:
    return (f"and {count - KEPT:,} more {what}",) if count > KEPT else ()
