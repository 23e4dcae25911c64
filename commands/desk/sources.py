"""``source ...``: sources by the command line, as a person of the installation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import click

from aggregators.vocabulary import formats
from auth import accounts
from commands.desk.mapping import word_line
from commands.installation import DatabaseCommand, database, installation
from ingest.importer import workspace_id
from ingest.pulling import runner, runs, store
from ingest.pulling.catalogue import kinds
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import SourceContext
from ingest.pulling.store import NewSource, NoSuchSource, StoredSource
from storage.context import NoSuchWorkspace
from storage.sources.tables import HISTORY_DAYS
from storage.viewer import Viewer
from web.platform.sources.ahead import look_ahead
from web.platform.sources.rights import WHOLE, SourceRights
from web.problem import Problem

WHO, PARTS = "operator", 30
"""Actor of what is done by the command line, in the audit; parts that a look ahead lists."""


class SourceCommand(DatabaseCommand):
    """A command that says in one sentence why a source can not be made, changed or read."""

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except (SourceProblem, NoSuchWorkspace) as error:
            raise click.ClickException(str(error)) from error
        except NoSuchSource as error:
            raise click.ClickException(f"there is no source {error}") from error


def context() -> SourceContext:
    """The installation of the running command."""
    return SourceContext(database(), installation().settings)


@click.command("kinds")
def list_kinds() -> None:
    """Lists what can be connected, with the settings of each."""
    for kind in kinds().values():
        click.echo(f"{kind.kind:<12} {kind.title}: {', '.join(kind.fills[:4])}")
        for setting in kind.settings:
            default = f" [{setting.default}]" if setting.default else ""
            click.echo(f"    {setting.name}={default}  {setting.label}. {setting.help}")


def _new_source_options(function: Callable[..., None]) -> Callable[..., None]:
    """Arguments and options of a source that is not connected yet."""
    for option in reversed(
        (
            click.argument("kind"),
            click.argument("settings", nargs=-1),
            click.option(
                "--as", "email", required=True, help="The account in whose name it writes."
            ),
            click.option(
                "--workspace", help="The workspace that it feeds; left out: the organisation's."
            ),
            click.option("--name", help="Its name; the kind's title when left out."),
            click.option("--minutes", type=int, help="How often it syncs."),
            click.option(
                "--days", type=int, default=HISTORY_DAYS, show_default=True,
                help="How far history reaches back.",
            ),
            click.option(
                "--rule", "rules", multiple=True,
                help="PATTERN=WORKSPACE of an organisation's source; the first match counts.",
            ),
            click.option(
                "--secret", "asks", is_flag=True, help="Reads a secret from standard input."
            ),
        )
    ):  # fmt: skip
        function = option(function)
    return function


class WantedSource(NamedTuple):
    """A source that a command names, its patterns, and in whose name it is connected."""

    new: NewSource
    rules: list[tuple[str, int]]
    rights: SourceRights
    viewer: Viewer


def _source_of_options(
    email: str, rules: tuple[str, ...], asks: bool, **given: Any
) -> WantedSource:
    """The source that a command names. Raises ClickException."""
    viewer = accounts.on_behalf(database().job, email)
    if viewer is None:
        raise click.ClickException(f"there is no active account {email}")
    kind, slug = given["kind"], given["workspace"]
    home = workspace_id(database(), slug) if slug else None
    rights = _manager(viewer, slug)
    title = kinds()[kind].title if kind in kinds() else kind
    new = NewSource(
        kind,
        given["name"] or title,
        dict(_pair(each) for each in given["settings"]),
        _secret() if asks else "",
        home,
        given["minutes"],
        given["days"],
    )
    pairs = [_pair(rule) for rule in rules] if home is None else []
    targets = [(pattern, workspace_id(database(), slug)) for pattern, slug in pairs]
    return WantedSource(new, targets, rights, viewer)


@click.command("add", cls=SourceCommand)
@_new_source_options
def add(email: str, rules: tuple[str, ...], asks: bool, **given: Any) -> None:
    """Connects a source of a KIND with SETTINGS as NAME=VALUE."""
    wanted, made = _source_of_options(email, rules, asks, **given), context()
    by = (wanted.viewer.user_id, wanted.viewer.email)
    id = store.create(made.database.job, made.box, wanted.new, by)
    if wanted.rules:
        store.set_rules(made.database.job, id, wanted.rules, wanted.viewer.email)
    click.echo(f"Source {id} is connected; it syncs within a minute, or now with source sync {id}.")


@click.command("preview", cls=SourceCommand)
@_new_source_options
def look(email: str, rules: tuple[str, ...], asks: bool, **given: Any) -> None:
    """Says what a source would bring and what its history takes; keeps nothing."""
    wanted = _source_of_options(email, rules, asks, **given)
    ahead = look_ahead(context(), wanted.rights, wanted.new, wanted.rules)
    for sentence in [*ahead.tested, *ahead.notes, *(f"Refused: {each}" for each in ahead.refusals)]:
        click.echo(sentence)
    left_out = sum(ahead.in_no_figure.values())
    click.echo(
        f"From {ahead.since:%Y-%m-%d} on, with {ahead.requests} requests: {ahead.read} read,"
        f" {ahead.counting} would count, {left_out} in no figure, {ahead.refused} refused,"
        f" {ahead.known} there already."
    )
    for reason, number in ahead.in_no_figure.items():
        click.echo(f"  {number:>7} in no figure: {reason}")
    for word in ahead.words:
        click.echo(f"  {word_line(word)}")
    for part in ahead.parts[:PARTS]:
        recent = "?" if part.recent is None else part.recent
        click.echo(f"  {recent:>7} {part.name} -> {part.workspace or 'no workspace'}")
        if part.words:
            seen = "; ".join(f"{each.words} {each.figure}" for each in part.counts)
            click.echo(
                f"          a deployment is one of its {part.words} ({seen or 'not looked at'})"
            )
    if len(ahead.parts) > PARTS:
        click.echo(f"  and {len(ahead.parts) - PARTS} parts more")
    for each in ahead.estimates:
        lasting = formats.duration(max(each.seconds, 1))
        click.echo(f"History of {each.days} days: about {each.requests} requests, {lasting}")


def _manager(viewer: Viewer, workspace: str | None) -> SourceRights:
    """Rights of the person. Raises ClickException unless they could connect the source by themselves."""
    try:
        rights = SourceRights.of(database().web, database(), viewer)
        if workspace:
            rights.managed_id(workspace)
        elif not rights.is_everywhere:
            raise Problem(403, WHOLE)
    except Problem as problem:
        raise click.ClickException(f"{viewer.email}: {problem}") from problem
    return rights


def _pair(argument: str) -> tuple[str, str]:
    name, sign, value = argument.partition("=")
    if not sign:
        raise click.ClickException(f"{argument!r} is not NAME=VALUE")
    return name, value.replace("\\n", "\n")


def _secret() -> str:
    """The first line of standard input, unseen on a terminal."""
    if sys.stdin.isatty():
        return str(click.prompt("Secret", hide_input=True))
    return sys.stdin.readline().rstrip("\n")


@click.command("list", cls=SourceCommand)
def list_sources() -> None:
    """Lists the sources with their state."""
    engine = database().job
    with engine.connect() as connection:
        ids = connection.exec_driver_sql("select id from source order by id").scalars().all()
    for id in ids:
        source = store.find_source(engine, id)
        click.echo(
            f"{id:>4}  {source.kind:<11} {_state(source):<18} {source.name}  {source.message}"
        )


def _state(source: StoredSource) -> str:
    return source.state if source.enabled else "paused"


@click.command("show", cls=SourceCommand)
@click.argument("id", type=int)
def show(id: int) -> None:
    """Shows a source: its settings, its parts, its last runs."""
    engine = database().job
    source = store.find_source(engine, id)
    click.echo(f"{source.name} ({source.title}), {_state(source)}. {source.message}")
    for name, value in source.config.items():
        click.echo(f"  {name}={value}")
    with engine.connect() as connection:
        for scope in store.every_scope(connection, id):
            target = scope["slug"] or "-"
            click.echo(
                f"  {scope['external_id']:<14} {scope['state']:<8} {target:<20} {scope['name']}"
            )
        for run in runs.newest(connection, id, 10):
            click.echo(
                f"  {run.started_at:%Y-%m-%d %H:%M:%S}  {run.state:<8} {run.requests} requests,"
                f" {run.read} read, {run.written} written, {run.refused} refused. {run.message}"
            )


@click.command("test", cls=SourceCommand)
@click.argument("id", type=int)
def try_it(id: int) -> None:
    """Asks what the sync asks, once, and keeps nothing."""
    source = store.find_source(database().job, id)
    sentences, scopes = runner.try_source(runner.open_pull(context(), source), source.kind)
    for sentence in sentences:
        click.echo(sentence)
    for scope in scopes[:20]:
        click.echo(f"  {scope.external_id:<14} {scope.name}")


@click.command("sync", cls=SourceCommand)
@click.argument("id", type=int)
@click.option("--again-from", type=click.DateTime(["%Y-%m-%d"]), help="Reads everything once more.")
def sync(id: int, again_from: datetime | None) -> None:
    """Syncs a source now; exit code 1 when that fails."""
    engine = database().job
    store.ask(engine, id, WHO, again_from.date() if again_from else None)
    if not runner.run_next(context(), id):
        raise click.ClickException("another process runs it just now, or it is paused")
    with engine.connect() as connection:
        (run,) = runs.newest(connection, id, 1)
    click.echo(
        f"{run.state}: {run.requests} requests, {run.read} read, {run.written} written,"
        f" {run.unchanged} unchanged, {run.refused} refused. {run.message}"
    )
    if run.state == "failed":
        raise click.exceptions.Exit(1)


@click.command("map", cls=SourceCommand)
@click.argument("id", type=int)
@click.argument("rules", nargs=-1)
def map_rules(id: int, rules: tuple[str, ...]) -> None:
    """Replaces the RULES of an organisation's source: PATTERN=WORKSPACE, the first match counts."""
    pairs = [_pair(rule) for rule in rules]
    targets = [(pattern, workspace_id(database(), slug)) for pattern, slug in pairs]
    store.set_rules(database().job, id, targets, WHO)
    with database().job.connect() as connection:
        for scope in store.every_scope(connection, id):
            click.echo(f"{scope['name']:<40} {scope['slug'] or scope['state']}")


@click.command("secret", cls=SourceCommand)
@click.argument("id", type=int)
def replace_secret(id: int) -> None:
    """Replaces the secret of a source, from standard input."""
    store.find_source(database().job, id)
    store.replace_secret(database().job, context().box, id, _secret(), WHO)
    click.echo("Replaced.")


@click.command("pause", cls=SourceCommand)
@click.argument("id", type=int)
@click.option("--off", "resumes", is_flag=True, help="Lets it run again.")
def pause(id: int, resumes: bool) -> None:
    """Pauses a source."""
    store.change(database().job, id, WHO, enabled=resumes)
    click.echo("It runs again." if resumes else "Paused.")


@click.command("remove", cls=SourceCommand)
@click.argument("id", type=int)
def remove(id: int) -> None:
    """Removes a source and its secret; what it wrote stays."""
    store.delete(database().job, id, WHO)
    click.echo("Removed.")
