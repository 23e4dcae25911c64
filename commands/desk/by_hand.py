"""``records quarantine``, ``records correct``, ``merge``, ``withdraw`` and ``restore``: an operator's hand
in a workspace's records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import click

from auth.granting import OPERATOR
from commands.installation import DatabaseCommand, database, installation
from ingest.desk import corrections
from ingest.desk.corrections import NoSuchRecord, RefusedCorrection
from ingest.door import quarantine
from ingest.door.deliveries import NoSuchDelivery, find_delivery
from ingest.door.quarantine import BodyIsGone, NoSuchPart
from ingest.due.remake import remake, slugs

MOST_LISTED = 1_000
Workspace = tuple[int, str]


def workspaces(slug: str | None) -> list[Workspace]:
    """The workspace of that slug, or all that are active. Raises BadParameter."""
    known = slugs(database())
    if slug is None:
        return [(key, name) for name, key in known.items()]
    if slug not in known:
        raise click.BadParameter(f"no active workspace {slug!r}", param_hint="--workspace")
    return [(known[slug], slug)]


def choose_workspace(slug: str | None) -> Workspace:
    """The workspace of that slug, or the only one there is. Raises UsageError."""
    each = workspaces(slug)
    if len(each) != 1:
        raise click.UsageError("There are several workspaces: choose one with --workspace.")
    return each[0]


def remade() -> None:
    """Makes the snapshots again that a change has touched, and says so."""
    if count := remake(database(), installation().settings, at_once=True):
        click.echo(f"Snapshots made again in {count} workspace{'s' if count > 1 else ''}.")


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    """Errors of the desk as sentences."""
    try:
        yield
    except (NoSuchRecord, RefusedCorrection, NoSuchPart, BodyIsGone, NoSuchDelivery) as error:
        raise click.ClickException(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


workspace_option: Callable[..., Callable[..., object]] = click.option(
    "--workspace", "slug", help="The workspace; all of them, or the only one, when left out."
)


@click.command("list", cls=DatabaseCommand)
@workspace_option
def list_quarantine(slug: str | None) -> None:
    """Lists what could not be read, newest first."""
    total = 0
    for workspace_id, name in workspaces(slug):
        count, parts = quarantine.list_quarantine(database(), workspace_id, MOST_LISTED)
        total += count
        for part in parts:
            where = " ".join(filter(None, (part["format"], part["kind"], part["pointer"])))
            reason = ": ".join(filter(None, (part["field"], part["reason"])))
            click.echo(f"{part['id']}  {name}  {where}  {reason}")
    click.echo(f"{total:,} in quarantine.")


@click.command("show", cls=DatabaseCommand)
@click.argument("part", type=click.UUID)
@workspace_option
def show_quarantined(part: UUID, slug: str | None) -> None:
    """Shows a part in quarantine, and what became of its delivery."""
    with _errors_as_sentences():
        workspace_id, name, one = _part(part, slug)
        click.echo(f"workspace: {name}")
        for field, value in one.items():
            click.echo(f"{field}: {value}")
        state = find_delivery(database(), workspace_id, UUID(one["delivery"]))
    click.echo(f"of the delivery {state['written']} written, {state['unchanged']} unchanged")


def _part(part: UUID, slug: str | None) -> tuple[int, str, dict[str, str]]:
    """A part in quarantine, and where. Raises NoSuchPart."""
    for workspace_id, name in workspaces(slug):
        try:
            return workspace_id, name, quarantine.part(database(), workspace_id, part)
        except NoSuchPart:
            continue
    raise NoSuchPart(f"nothing with the id {part} lies in quarantine")


@click.command("replay", cls=DatabaseCommand)
@click.argument("part", type=click.UUID, required=False)
@click.option("--all", "is_all", is_flag=True, help="Everything that lies in quarantine.")
@workspace_option
def replay(part: UUID | None, is_all: bool, slug: str | None) -> None:
    """Reads a delivery again, named by its id or by that of a part of it."""
    if (part is None) == (not is_all):
        raise click.UsageError("Name what to read again, or say --all.")
    read = left = 0
    with _errors_as_sentences():
        for workspace_id, name in workspaces(slug):
            for each in _to_replay(workspace_id, part):
                try:
                    again = quarantine.replay(database(), (workspace_id, name), each, OPERATOR)
                except NoSuchDelivery:
                    continue
                read += 1
                left += len(find_delivery(database(), workspace_id, again)["quarantine"])
        if part is not None and not read:
            raise NoSuchPart(f"no delivery and no part in quarantine has the id {part}")
    click.echo(f"{read:,} deliveries read again; {left:,} parts still in quarantine.")
    if left:
        raise click.exceptions.Exit(1)


def _to_replay(workspace_id: int, part: UUID | None) -> list[UUID]:
    return [part] if part is not None else quarantine.waiting_deliveries(database(), workspace_id)


@click.command("drop", cls=DatabaseCommand)
@click.argument("part", type=click.UUID)
@workspace_option
def drop(part: UUID, slug: str | None) -> None:
    """Takes a part out of quarantine for good."""
    with _errors_as_sentences():
        workspace_id, name, _ = _part(part, slug)
        quarantine.drop(database(), (workspace_id, name), part, OPERATOR)
    click.echo("Dropped.")


@click.command("correct", cls=DatabaseCommand)
@click.argument("kind")
@click.argument("key")
@click.argument("fields", nargs=-1, required=True, metavar="FIELD=VALUE...")
@workspace_option
def correct(kind: str, key: str, fields: tuple[str, ...], slug: str | None) -> None:
    """Sets fields of a record by hand; FIELD= takes back what is known."""
    values = {}
    for each in fields:
        field, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"{each!r} must be FIELD=VALUE.")
        values[field.strip()] = value
    with _errors_as_sentences():
        corrections.correct(database(), choose_workspace(slug), kind, key, values, OPERATOR)
    click.echo(f"{key} is corrected: {', '.join(values)}.")
    remade()


@click.command("merge", cls=DatabaseCommand)
@click.argument("kind")
@click.argument("key")
@click.argument("into", required=False)
@workspace_option
def merge(kind: str, key: str, into: str | None, slug: str | None) -> None:
    """Makes a record part of another, or no more.

    Of incidents and deployments. Without INTO it stands alone again, whatever made it part of one."""
    with _errors_as_sentences():
        if into is None:
            corrections.part(database(), choose_workspace(slug), kind, key, OPERATOR)
        else:
            corrections.merge(database(), choose_workspace(slug), kind, key, into, OPERATOR)
    click.echo(f"{key} stands alone." if into is None else f"{key} is part of {into}.")
    remade()


@click.command("withdraw", cls=DatabaseCommand)
@click.argument("kind")
@click.argument("key")
@workspace_option
def withdraw(kind: str, key: str, slug: str | None) -> None:
    """Takes a record out of every figure."""
    with _errors_as_sentences():
        corrections.withdraw(database(), choose_workspace(slug), kind, key, OPERATOR)
    click.echo(f"{key} is withdrawn.")
    remade()


@click.command("restore", cls=DatabaseCommand)
@click.argument("kind")
@click.argument("key")
@workspace_option
def restore(kind: str, key: str, slug: str | None) -> None:
    """Takes a withdrawn record back into the figures."""
    with _errors_as_sentences():
        corrections.withdraw(database(), choose_workspace(slug), kind, key, OPERATOR, is_back=True)
    click.echo(f"{key} is back.")
    remade()
