"""``setting``: what the organisation and its workspaces choose, listed, set and taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import click

import instants
from aggregators.chosen import amounts
from aggregators.chosen.changes import SettingChange
from aggregators.chosen.known import KnownSetting, WrongSettingValue, find_setting
from auth.granting import OPERATOR
from commands.desk.by_hand import remade, workspaces
from commands.installation import DatabaseCommand, database, installation
from ingest.desk import choosing
from ingest.desk.choosing import Choice, Workspace
from storage.chosen import store
from storage.context import job_in
from web.chosen.views import SettingScope, sections

of_workspace: Callable[..., Callable[..., object]] = click.option(
    "--workspace", "slug", help="The workspace; the organisation when left out."
)


@click.command("list", cls=DatabaseCommand)
@of_workspace
def list_settings(slug: str | None) -> None:
    """Lists the settings: what holds, whose it is, since when, and what would hold without it."""
    day = choosing.newest_day(database()) or installation().settings.now().date()
    organisation, own = _changes(_workspace(slug))
    scope = SettingScope(organisation, own, day, installation().settings)
    for section in sections(scope):
        for shown in section.rows:
            line = f"{shown.setting.name}  {shown.words}  ({shown.origin}"
            if shown.change is not None:
                line += f", {shown.change.by}, {shown.change.at:%Y-%m-%d}"
                line += f", from {shown.change.since}" if shown.setting.is_dated else ""
            click.echo(line + (f"; without it {shown.without})" if shown.change else ")"))


def _changes(
    workspace: Workspace | None,
) -> tuple[tuple[SettingChange, ...], tuple[SettingChange, ...] | None]:
    """Changes of the organisation, and of the workspace where one is named."""
    with database().job.connect() as connection:
        organisation = store.of_organisation(connection)
    if workspace is None:
        return organisation, None
    with job_in(database().job, workspace[0]) as connection:
        return organisation, store.of_workspace(connection, workspace[0])


def _workspace(slug: str | None) -> Workspace | None:
    return workspaces(slug)[0] if slug else None


@click.command("set", cls=DatabaseCommand)
@click.argument("name")
@click.argument("value")
@click.option("--watch", default="", help="The bound beyond which it is watched, before a target.")
@click.option(
    "--from", "since", help="The day it holds from; the newest with figures when left out."
)
@click.option("--yes", is_flag=True, help="Counts days anew without asking, where it is to.")
@of_workspace
def set_setting(
    name: str, value: str, watch: str, since: str | None, yes: bool, slug: str | None
) -> None:
    """Sets a setting from a day on: a target (12.5 for 12.5 %, 4 h, 3), or how the organisation counts."""
    try:
        setting = find_setting(name)
        _choose(setting, setting.read(value, watch), since, slug, yes)
    except WrongSettingValue as error:
        raise click.BadParameter(str(error)) from error


@click.command("unset", cls=DatabaseCommand)
@click.argument("name")
@click.option(
    "--from", "since", help="The day it holds from; the newest with figures when left out."
)
@click.option("--yes", is_flag=True, help="Counts days anew without asking, where it is to.")
@of_workspace
def unset_setting(name: str, since: str | None, yes: bool, slug: str | None) -> None:
    """Takes a setting back from a day on."""
    try:
        _choose(find_setting(name), None, since, slug, yes)
    except WrongSettingValue as error:
        raise click.BadParameter(str(error)) from error


def _choose(
    setting: KnownSetting, value: object, since: str | None, slug: str | None, yes: bool
) -> None:
    """Changes a setting, once whoever types it knows what is counted anew."""
    choice = Choice(setting, value, _day(since), OPERATOR, _workspace(slug))
    days = choosing.days_to_recount(database(), choice)
    if days is not None:
        click.echo(days.sentence)
        if not yes:
            click.confirm("Change it, and count them anew?", abort=True)
    choosing.choose(database(), choice, installation().settings.time_zone)
    click.echo("Taken back." if value is None else f"{setting.title}: {setting.write(value)}.")
    if days is not None:
        remade()


def _day(since: str | None) -> date:
    if since is None:
        return choosing.newest_day(database()) or installation().settings.now().date()
    try:
        return amounts.read_day(since)
    except ValueError as error:
        raise WrongSettingValue("since", str(error)) from error


@click.command("history", cls=DatabaseCommand)
@click.argument("name")
@of_workspace
def history(name: str, slug: str | None) -> None:
    """Lists every change of a setting, the newest first."""
    try:
        setting = find_setting(name)
    except WrongSettingValue as error:
        raise click.BadParameter(str(error)) from error
    organisation, own = _changes(_workspace(slug))
    for change in reversed(organisation if own is None else own):
        if change.name == setting.name:
            value_text = "taken back" if change.value is None else setting.write(change.value)
            since = f"  from {change.since}" if setting.is_dated else ""
            click.echo(f"{instants.to_the_second(change.at)}  {change.by}  {value_text}{since}")
