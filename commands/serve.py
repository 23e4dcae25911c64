"""``serve``: the pages and the API in one process."""

from __future__ import annotations

from functools import partial

import click

from commands.installation import application
from web.server.collector import without_collector


@click.command()
@click.option("--reload", "reloads", is_flag=True, help="Restart when a file changes.")
def serve(reloads: bool) -> None:
    """Serves; with the embedded database it migrates and loads the demo organisation first."""
    with without_collector():
        from web.server.serving import Stopped, end, run
        from web.server.startup import announce, start

        app = application()
        settings = app.installation.settings
        start(app, demo_when_empty=settings.demo and settings.database_url is None)
    try:
        run(app, settings, partial(announce, app.installation), reloads=reloads)
    except Stopped:
        end(app, settings)
