"""``mapping``: meanings of senders' words, of a workspace or of the organisation."""

from __future__ import annotations

import click

from auth.granting import OPERATOR
from commands.desk.by_hand import remade, workspace_option, workspaces
from commands.installation import DatabaseCommand, database
from ingest.desk import meanings, seen_words
from ingest.desk.meanings import NoSuchMeaning
from ingest.desk.seen_words import SeenWord
from storage.context import job_in


@click.command("list", cls=DatabaseCommand)
@workspace_option
def list_meanings(slug: str | None) -> None:
    """Lists the words that were seen, their meanings, and where they fell."""
    for workspace_id, name in workspaces(slug):
        with job_in(database().job, workspace_id) as connection:
            for word in seen_words.seen_words(connection, workspace_id):
                click.echo(f"{name}  {word_line(word)}")


def word_line(word: SeenWord) -> str:
    """A word in one line."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in word.in_no_figure.items())
    fell = f"{word.records:,} records, {word.counted:,} counted"
    meaning = f"{word.meaning or 'unknown'} ({word.origin})"
    return f"{word.about}  {word.word!r}  {meaning}  {fell}{': ' if reasons else ''}{reasons}"


@click.command("set", cls=DatabaseCommand)
@click.argument("about")
@click.argument("word")
@click.argument("meaning")
@click.option("--workspace", "slug", help="The workspace; every one without its own when left out.")
def set_meaning(about: str, word: str, meaning: str, slug: str | None) -> None:
    """Says what a WORD means; what holds it is folded anew, and its snapshots are made again."""
    _change(about, word, meaning, slug)


@click.command("unset", cls=DatabaseCommand)
@click.argument("about")
@click.argument("word")
@click.option("--workspace", "slug", help="The workspace; the organisation's when left out.")
def unset_meaning(about: str, word: str, slug: str | None) -> None:
    """Takes a meaning back."""
    _change(about, word, None, slug)


def _change(about: str, word: str, meaning: str | None, slug: str | None) -> None:
    each = workspaces(slug)
    try:
        if slug is None:
            touched = meanings.change_default(database(), each, about, word, meaning, OPERATOR)
        else:
            touched = meanings.change(database(), each[0], about, word, meaning, OPERATOR)
    except NoSuchMeaning as error:
        raise click.BadParameter(str(error)) from error
    click.echo(f"{touched:,} records hold {word!r} and are folded anew.")
    remade()
