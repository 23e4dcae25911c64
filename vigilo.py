"""``vigilo COMMAND``: the command line by itself, without Flask's, and with what a command uses alone."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web.server.application import Application
    from web.server.installation import Installation


HELP = "Vigilo Executive: how is the whole organisation doing?"
ENV_FILES = (".env", ".flaskenv")


def main() -> None:
    """Runs the command that was typed. The collector waits until that is imported."""
    gc.disable()
    _read_env_file()
    import click

    from commands.installation import CommandLine
    from commands.tree import COMMANDS

    typed = click.Group("vigilo", help=HELP, commands=list(COMMANDS))
    typed.main(prog_name="vigilo", obj=CommandLine(_load_installation, _application))


def _read_env_file() -> None:
    """Reads a file .env of the folder or of one above it, as Flask's command line does."""
    here = Path.cwd()
    if any((folder / name).is_file() for folder in (here, *here.parents) for name in ENV_FILES):
        from flask.cli import load_dotenv

        load_dotenv()


def _load_installation() -> Installation:
    """The installation, its modules imported no sooner than this."""
    from environment import installed

    return installed()


def _application(installation: Installation) -> Application:
    from app import application

    return application(installation)


if __name__ == "__main__":
    main()
