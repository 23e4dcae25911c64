"""``export pdf``, ``export trace`` and ``worker``: exports without a browser, and who made one."""

from __future__ import annotations

import os
from pathlib import Path

import click

from commands.installation import DatabaseCommand
from exports.files import MEDIA_TYPES


@click.command("pdf", cls=DatabaseCommand)
@click.option("--as", "email", required=True, help="On whose behalf, with their scope.")
@click.option("--period", help="7, 28, 90 or 365 days; 28 when left out.")
@click.option("--start", help="First day of a range, YYYY-MM-DD.")
@click.option("--end", help="Last day of a range, YYYY-MM-DD.")
@click.option("--compare", help="previous, year or none: days that changes are against.")
@click.option(
    "--format", "form", type=click.Choice(tuple(MEDIA_TYPES)), default="pdf", show_default=True
)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def pdf(
    email: str,
    period: str | None,
    start: str | None,
    end: str | None,
    compare: str | None,
    form: str,
    out: Path,
) -> None:
    """Writes the pack to a file; it is noted as an export of that person."""
    from commands.export_work import make_export

    _require_writable(out)
    given = {"period": period, "start": start, "end": end, "compare": compare}
    finished = make_export(email, {name: text for name, text in given.items() if text}, form)
    try:
        out.write_bytes(finished.data)
    except OSError as error:
        raise click.ClickException(
            f"--out: {out} can not be written: {error.strerror}. The export is ready all the same: see"
            " Your exports."
        ) from error
    click.echo(f"{out}: {len(finished.data):,} bytes, export {finished.id}")


def _require_writable(out: Path) -> None:
    """Raises ClickException before any work where the file could not be written."""
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise click.ClickException(f"--out: nothing can be written in {out.parent}")
    if out.exists() and not os.access(out, os.W_OK):
        raise click.ClickException(f"--out: {out} is there already and can not be written")


@click.command("trace", cls=DatabaseCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def trace(file: Path) -> None:
    """Says who exported a pack, when, for what."""
    from commands.export_work import exporter_of

    exporter = exporter_of(file)
    if exporter is None:
        raise click.ClickException(f"{file} was not exported by this installation")
    click.echo(exporter)


@click.command(cls=DatabaseCommand)
def worker() -> None:
    """Makes exports and sends their mails until it is stopped; with VIGILO_REDIS_URL through Celery."""
    from commands.export_work import work

    work()
