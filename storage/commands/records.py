"""``records import``: operational records from files."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from storage.records.formats import FORMATS
from storage.records.importer import NoSuchWorkspace, load
from storage.records.kinds import KINDS
from storage.records.report import KEPT, Outcome


@click.group()
def records() -> None:
    """Operational records."""


@records.command("import")
@click.argument("kind", type=click.Choice(tuple(KINDS)))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--workspace", "slug", help="The workspace of rows that name none.")
@click.option("--format", "form", type=click.Choice(tuple(FORMATS)), help="How the files are read.")
@click.option("--strict", is_flag=True, help="Keep all or nothing.")
@with_appcontext
def import_(
    kind: str, files: tuple[Path, ...], slug: str | None, form: str | None, strict: bool
) -> None:
    """Import records of a KIND from FILEs; exit code 1 when any was rejected."""
    if slug and not KINDS[kind].tenant:
        raise click.UsageError(f"--workspace does not apply to {kind}.")
    database = current_app.extensions["vigilo"].database
    try:
        outcomes = load(database, KINDS[kind], files, workspace=slug, form=form, strict=strict)
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
