"""``annotation``: notes of people on days."""

from __future__ import annotations

from uuid import UUID

import click

from aggregators.chosen.annotations import Annotation, WrittenNote
from aggregators.chosen.known import WrongSettingValue
from auth.granting import OPERATOR
from commands.desk.by_hand import workspaces
from commands.installation import DatabaseCommand, database
from commands.operation.settings import of_workspace
from ingest.desk import annotating
from ingest.desk.annotating import NoSuchAnnotation, Workspace
from storage.chosen import notes
from storage.context import job_in


@click.command("list", cls=DatabaseCommand)
def list_annotations() -> None:
    """Lists the annotations that stand, the organisation's and every workspace's, by day."""
    with database().job.connect() as connection:
        listed: list[Annotation] = notes.of_organisation(connection)
    for workspace_id, slug in workspaces(None):
        with job_in(database().job, workspace_id) as connection:
            listed += notes.of_workspace(connection, workspace_id, slug)
    for note in sorted(listed, key=lambda each: (each.first_day, each.at)):
        days = f"{note.first_day}..{note.last_day}"
        about = note.about or "everything"
        click.echo(f"{note.id}  {days}  {note.workspace or '*'}  {about}  {note.text}  {note.by}")


@click.command("add", cls=DatabaseCommand)
@click.argument("first_day")
@click.argument("text")
@click.option("--to", "last_day", default="", help="The last day; the first alone when left out.")
@click.option("--about", default="", help="A domain or domain.measure; everything when left out.")
@of_workspace
def add(first_day: str, text: str, last_day: str, about: str, slug: str | None) -> None:
    """Notes what happened from FIRST_DAY on; it is marked on the charts of those days."""
    id = annotating.add(
        database(), _workspace(slug), _note(text, first_day, last_day, about), OPERATOR
    )
    click.echo(f"Noted: {id}")


@click.command("edit", cls=DatabaseCommand)
@click.argument("annotation", type=click.UUID)
@click.argument("first_day")
@click.argument("text")
@click.option("--to", "last_day", default="", help="The last day; the first alone when left out.")
@click.option("--about", default="", help="A domain or domain.measure; everything when left out.")
@of_workspace
def edit(
    annotation: UUID, first_day: str, text: str, last_day: str, about: str, slug: str | None
) -> None:
    """Changes an annotation, by the id that ``annotation list`` shows."""
    note = _note(text, first_day, last_day, about)
    try:
        annotating.edit(database(), _workspace(slug), annotation, note, OPERATOR)
    except NoSuchAnnotation as error:
        raise click.ClickException(f"{error}.") from error
    click.echo("Changed.")


@click.command("withdraw", cls=DatabaseCommand)
@click.argument("annotation", type=click.UUID)
@of_workspace
def withdraw(annotation: UUID, slug: str | None) -> None:
    """Withdraws an annotation, by the id that ``annotation list`` shows."""
    try:
        annotating.withdraw(database(), _workspace(slug), annotation, OPERATOR)
    except NoSuchAnnotation as error:
        raise click.ClickException(f"{error}.") from error
    click.echo("Withdrawn.")


def _workspace(slug: str | None) -> Workspace | None:
    return workspaces(slug)[0] if slug else None


def _note(text: str, first_day: str, last_day: str, about: str) -> WrittenNote:
    try:
        return WrittenNote.of(text, first_day, last_day, about)
    except WrongSettingValue as error:
        raise click.BadParameter(str(error)) from error
