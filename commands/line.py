"""The command line by itself: ``vigilo COMMAND``. Flask is imported by what serves, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import click

from commands.tree import COMMANDS

if TYPE_CHECKING:
    from web.server.application import Application
    from web.server.installation import Installation


class CommandLine:
    """What a command works on: made when it asks, as ``--help`` needs no settings."""

    def __init__(
        self,
        install: Callable[[], Installation],
        application: Callable[[Installation], Application],
    ) -> None:
        self._install = install
        self._application = application

    @cached_property
    def installation(self) -> Installation:
        """The installation that the environment describes. Raises SystemExit on a wrong setting."""
        return self._install()

    @cached_property
    def application(self) -> Application:
        """The application that serves it."""
        return self._application(self.installation)


def group() -> click.Group:
    """Every command under the program's name."""
    return click.Group(
        "vigilo",
        help="Vigilo Executive: how is the whole organisation doing?",
        commands=list(COMMANDS),
    )
