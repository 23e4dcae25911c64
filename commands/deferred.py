"""Commands that are imported when they run: ``--help`` of a group needs none of what they need."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

import click

from web.server.collector import keep_what_is_there, without_collector


class Deferred(click.Command):
    """A command of another module, as ``module:name``, under a name and with the first sentence of its
    help. Importing every command would take as long as everything that any of them does."""

    def __init__(self, name: str, target: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self.target = target

    @cached_property
    def command(self) -> click.Command:
        """The command itself."""
        module, name = self.target.split(":")
        with without_collector():
            command: click.Command = getattr(import_module(module), name)
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of the command itself: its options, its help, its work."""
        command = self.command
        keep_what_is_there()
        return command.make_context(info_name, args, parent, **extra)


def group(name: str, help: str, *commands: click.Command) -> click.Group:
    """A group of commands."""
    return click.Group(name, help=help, commands=list(commands))
