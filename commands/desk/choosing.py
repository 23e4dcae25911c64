"""``source choose``: what the deployments of each part of a source are."""

from __future__ import annotations

import click

from commands.desk.sources import WHO, SourceCommand
from commands.installation import database
from ingest.pulling import store
from ingest.pulling.choice import settling
from ingest.pulling.choice.counts import CAUTION, NAMES
from ingest.pulling.choice.settling import PartChoice

BY = {"seen": "the first that there is", "hand": "by hand", "source": "by the setting"}


@click.command("choose", cls=SourceCommand)
@click.argument("id", type=int)
@click.argument("part", required=False)
@click.argument("choice", required=False)
@click.option("--yes", is_flag=True, help="Asks nothing.")
def choose(id: int, part: str | None, choice: str | None, yes: bool) -> None:
    """Says what the deployments of each PART are, or has them be a CHOICE."""
    engine = database().job
    source = store.find_source(engine, id)
    with engine.connect() as connection:
        parts = settling.of_parts(connection, source)
    if not part:
        for each in parts:
            click.echo(_line(each))
        return
    known = next((each for each in parts if part in (each.external_id, each.name)), None)
    if known is None:
        raise click.ClickException(f"source {id} has no part {part}")
    if not choice:
        click.echo(_line(known))
        return
    click.echo(f"{known.records:,} records of {known.name} count as {known.words}. {CAUTION}")
    if not yes:
        click.confirm("Change it?", abort=True)
    settling.choose(engine, id, known.external_id, choice, WHO)
    click.echo(f"Deployments of {known.name} are its {NAMES[choice]} from the next sync on.")


def _line(part: PartChoice) -> str:
    """A part in one line."""
    seen = "; ".join(f"{each.words} {each.figure}" for each in part.seen)
    why = BY.get(part.by, "nothing of any is there yet")
    return f"{part.external_id:<14} {part.name}: {part.words} ({why}), {part.records:,} records. {seen}"
